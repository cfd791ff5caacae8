-- Serial numbers $4 of products $3 that left on delivery note $2 are with nobody any more.
delete from delivered_serial
using unnest($3::uuid[], $4::text[]) as given (product, serial)
where delivered_serial.tenant_id = $1
  and delivered_serial.delivery_note = $2
  and delivered_serial.product = given.product
  and delivered_serial.serial = given.serial
