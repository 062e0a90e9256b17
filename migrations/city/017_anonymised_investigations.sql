-- What was typed into investigations goes with the evidence it was typed about. anonymised_at is when an ended order's words were emptied;
-- how many objects were to be visited, and were, is kept. Of a proposal it is when reasons of decisions were emptied last: one that is
-- taken up again has new ones.
ALTER TABLE investigation_order ADD COLUMN anonymised_at timestamptz, ADD COLUMN objects_gone integer, ADD COLUMN visited_gone integer,
    ADD CONSTRAINT order_anonymised CHECK (anonymised_at IS NULL AND objects_gone IS NULL AND visited_gone IS NULL
        OR anonymised_at IS NOT NULL AND state <> 'ordered' AND objects_gone IS NOT NULL AND (visited_gone IS NOT NULL) = (state = 'done')
            AND cardinality(objects) = 0 AND coalesce(findings, '') = '' AND cardinality(coalesce(visited, '{}')) = 0);

ALTER TABLE proposal ADD COLUMN anonymised_at timestamptz;

GRANT UPDATE (anonymised_at) ON proposal TO {{.role}};

GRANT UPDATE (reason) ON order_act, proposal_act TO {{.role}};

---- create above / drop below ----

REVOKE UPDATE (reason) ON order_act, proposal_act FROM {{.role}};

ALTER TABLE proposal DROP COLUMN anonymised_at;

ALTER TABLE investigation_order DROP CONSTRAINT order_anonymised, DROP COLUMN visited_gone, DROP COLUMN objects_gone, DROP COLUMN anonymised_at;
