-- Who makes out a document of tenant $1, and who gets it: legal entity $2, else the one that was recorded first; account $3.
-- The logo is named only where its image is here, too.
select
  (
    select case
      when exists (
        select from legal_entity_logo
        where legal_entity_logo.tenant_id = $1 and legal_entity_logo.hash = decode(legal_entity.issuer ->> 'logo', 'hex')
      ) then legal_entity.issuer
      else legal_entity.issuer - 'logo'
    end
    from legal_entity
    where legal_entity.tenant_id = $1 and legal_entity.delete_time is null and ($2::uuid is null or legal_entity.id = $2)
    order by legal_entity.id
    limit 1
  ) as issuer,
  (select recipient.recipient from recipient where recipient.tenant_id = $1 and recipient.id = $3) as recipient
