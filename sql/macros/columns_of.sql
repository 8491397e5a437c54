-- purpose: columns_of(table): the columns of a table or view with their types and meanings
-- grain:   one row per column, in order
-- reads:   the catalogue
-- `from columns_of('rate.calls')`.
create or replace macro columns_of(named) as table
    select c.column_name, c.data_type as column_type, c.comment as meaning
    from duckdb_columns() as c
    where c.schema_name || '.' || c.table_name = lower(named) and not c.internal
    order by c.column_index;
