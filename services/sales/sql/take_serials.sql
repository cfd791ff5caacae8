-- Notes that serial numbers $4 of products $3 leave on delivery note $2.
insert into delivered_serial (tenant_id, product, serial, delivery_note)
select $1, given.product, given.serial, $2
from unnest($3::uuid[], $4::text[]) with ordinality as given (product, serial, place)
order by given.place
