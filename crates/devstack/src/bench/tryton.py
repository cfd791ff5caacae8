"""Tryton's side of P12: fills its database, and sells through its server.

Usage: tryton.py prepare FILE     fills the empty database and writes what chains name
       tryton.py sell FILE URL    for each line of standard input, a number of seconds, makes chains for so long, one after
                                  the other, and tells how many they were

The server of the database is that of TRYTOND_DATABASE_URI, its name that of DB_NAME.

A chain is what a clerk does: a sale of one line is quoted, confirmed and processed, its invoice posted and paid. Each step is
a call of JSON-RPC as the clerk's client makes it, without the many by which a client fills a form in.
"""

import base64
import decimal
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

USER = "admin"
# Of a database that lives as long as a run, behind the loopback address.
PASSWORD = "only-for-a-run-of-bench"
PRICE = {"__class__": "Decimal", "decimal": "1000"}


def prepare(file):
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(PASSWORD)
        password.flush()
        subprocess.run(
            [sys.executable, "-m", "trytond.cli.admin", "--database", os.environ["DB_NAME"], "--update", "sale"]
            + ["--activate-dependencies", "--email", "clerk@acme.example"],
            env={**os.environ, "TRYTONPASSFILE": password.name},
            check=True,
        )
    pathlib.Path(file).write_text(json.dumps(ground()), encoding="utf-8")


def ground():
    """A company with the minimal chart of accounts and gap-free invoices, a customer, a product with 21 % on top."""
    from proteus import Model, config
    from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences
    from trytond.modules.company.tests.tools import create_company

    def made(kind, **values):
        record = Model.get(kind)(**values)
        record.save()
        return record

    config.set_trytond()
    create_company()
    create_chart()
    set_fiscalyear_invoice_sequences(create_fiscalyear()).click("create_period")
    accounts = get_accounts()
    tax = create_tax(decimal.Decimal(".21"))
    tax.save()
    customer = made("party.party", name="Hotel Miramar")
    category = made(
        "product.category", name="Presses", accounting=True, account_expense=accounts["expense"],
        account_revenue=accounts["revenue"], customer_taxes=[tax],
    )
    [unit] = Model.get("product.uom").find([("name", "=", "Unit")])
    template = made(
        "product.template", name="Press", type="goods", salable=True, default_uom=unit, account_category=category,
        list_price=decimal.Decimal(1000),
    )
    [journal] = Model.get("account.journal").find([("type", "=", "cash")])
    method = made(
        "account.invoice.payment.method", name="Transfer", journal=journal, credit_account=accounts["cash"],
        debit_account=accounts["cash"],
    )
    return {
        "party": customer.id, "address": customer.addresses[0].id, "product": template.products[0].id, "unit": unit.id,
        "tax": tax.id, "method": method.id,
    }


class Clerk:
    """Somebody with a session and a connection."""

    def __init__(self, url, ground):
        server = urllib.parse.urlparse(url)
        self.connection = http.client.HTTPConnection(server.netloc)
        self.path, self.ground = server.path, ground
        self.headers = {"Content-Type": "application/json"}
        user, session, *_ = self.ask("common.db.login", USER, {"password": PASSWORD}, "en")
        token = base64.b64encode(f"{USER}:{user}:{session}".encode()).decode()
        self.headers["Authorization"] = f"Session {token}"
        self.context = self.ask("model.res.user.get_preferences", True, {})

    def ask(self, method, *parameters):
        body = json.dumps({"id": 1, "method": method, "params": parameters})
        self.connection.request("POST", self.path, body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        found = json.loads(text) if answer.status == 200 else {"error": text}
        if "error" in found:
            raise RuntimeError(f"{method}: {answer.status} {found['error']}")
        return found["result"]

    def chain(self):
        ground, context = self.ground, self.context
        line = {
            "product": ground["product"], "quantity": 2, "unit": ground["unit"], "unit_price": PRICE,
            "taxes": [["add", [ground["tax"]]]],
        }
        sale = {
            "party": ground["party"], "invoice_address": ground["address"], "shipment_address": ground["address"],
            "lines": [["create", [line]]],
        }
        sales = self.ask("model.sale.sale.create", [sale], context)
        self.ask("model.sale.sale.quote", sales, context)
        # Without a worker of its own a server processes what is confirmed at once, before it answers.
        self.ask("model.sale.sale.confirm", sales, context)
        [sale] = self.ask("model.sale.sale.read", sales, ["state", "invoices"], context)
        assert sale["state"] == "processing", sale
        self.ask("model.account.invoice.post", sale["invoices"], context)
        self.pay(sale["invoices"])

    def pay(self, invoices):
        wizard = "wizard.account.invoice.pay"
        context = {**self.context, "active_model": "account.invoice", "active_id": invoices[0], "active_ids": invoices}
        session, start, end = self.ask(f"{wizard}.create", context)
        form = self.ask(f"{wizard}.execute", session, {}, start, context)["view"]["defaults"]
        values = {key: value for key, value in form.items() if "." not in key}
        values["payment_method"] = self.ground["method"]
        self.ask(f"{wizard}.execute", session, {"start": values}, "choice", context)
        self.ask(f"{wizard}.delete", session, context)


def sell(file, url):
    clerk = Clerk(url, json.loads(pathlib.Path(file).read_text(encoding="utf-8")))
    for seconds in sys.stdin:
        end = time.monotonic() + float(seconds)
        done = 0
        while time.monotonic() < end:
            clerk.chain()
            done += 1
        print(done, flush=True)


if __name__ == "__main__":
    {"prepare": prepare, "sell": sell}[sys.argv[1]](*sys.argv[2:])
