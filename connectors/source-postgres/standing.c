#include "standing.h"

#include <stdlib.h>

/* The columns of the answer, each of a table c that is looked at, and of g, what the publication p has of it.
 */

/* What puts it there: the publication of all tables, an entry for itself (d), or one for its root or schema.
 */
static void put_member(struct buffer *sql, int version)
{
    const char *lineage = version >= 130000
                              ? "ANY (ARRAY(SELECT relid::oid FROM pg_partition_ancestors(c.oid)) || c.oid)"
                              : "c.oid";
    buffer_str(sql, "CASE WHEN p.puballtables THEN p.oid ELSE coalesce(d.oid");
    if (version >= 130000)
        buffer_printf(sql,
                      ", CASE WHEN c.relispartition THEN (SELECT min(r.oid) FROM pg_publication_rel r"
                      " WHERE r.prpubid = p.oid AND r.prrelid = %s) END",
                      lineage);
    if (version >= 150000)
        buffer_printf(
            sql,
            ", (SELECT min(e.oid) FROM pg_publication_namespace e JOIN pg_class l ON l.relnamespace ="
            " e.pnnspid WHERE e.pnpubid = p.oid AND l.oid = %s)",
            lineage);
    buffer_str(sql, ", 0::oid) END");
}

/* Is the column a of pg_attribute in no change? A publication that is not there yet is made with the stored
 * ones. */
static const char *left_out(int version)
{
    if (version < 120000)
        return "false";
    return version < 180000
               ? "(a.attgenerated <> '')"
               : "(a.attgenerated NOT IN ('', CASE WHEN p.pubgencols = 'n' THEN '' ELSE 's' END))";
}

static void put_less(struct buffer *sql, int version)
{
    if (version < 150000)
        buffer_str(sql, ", false, false");
    else
        buffer_printf(sql,
                      ", g.rowfilter IS NOT NULL, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
                      " AND a.attnum > 0 AND NOT a.attisdropped AND NOT %s AND a.attname <> ALL (g.attnames)"
                      " AND has_column_privilege(a.attrelid, a.attnum, 'SELECT'))",
                      left_out(version));
}

/* Which partitions it has, as a number. */
static void put_partitions(struct buffer *sql)
{
    buffer_str(sql, ", (SELECT ('x' || left(md5(string_agg(t::text, ',' ORDER BY t)), 15))::bit(60)::bigint"
                    " FROM unnest(f.oids) t WHERE t <> c.oid)");
}

/* Of a partitioned table each partition has an identity of its own. */
static void put_unidentified(struct buffer *sql)
{
    buffer_str(
        sql,
        ", EXISTS (SELECT FROM pg_class l WHERE l.relkind = 'r' AND l.oid = ANY (f.oids) AND l.relreplident "
        "<>"
        " 'f' AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = l.oid AND x.indimmediate AND"
        " CASE l.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END))");
}

/* The expression's text as a number. */
static void put_number(struct buffer *sql, const char *text)
{
    buffer_printf(sql, ", coalesce(('x' || left(md5(%s), 15))::bit(60)::bigint, 0)", text);
}

/* ALTER PUBLICATION … SET writes its row anew, and so do others for what puts a table in it without an entry
 * of its own: that it is a partition, and which schema it is in. The transaction that wrote a row stays with
 * it. */
static void put_published_as(struct buffer *sql, int version)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_str(&text, "p.xmin::text");
    if (version >= 130000)
        buffer_str(
            &text,
            " || CASE WHEN p.puballtables OR d.oid IS NOT NULL OR NOT c.relispartition THEN '' ELSE ' ' ||"
            " (SELECT coalesce(string_agg(i.xmin::text, ' ' ORDER BY i.inhrelid), '') FROM pg_inherits i "
            "WHERE"
            " i.inhrelid = ANY (ARRAY(SELECT relid::oid FROM pg_partition_ancestors(c.oid)))) END");
    if (version >= 150000)
        buffer_str(
            &text,
            " || CASE WHEN p.puballtables OR d.oid IS NOT NULL THEN '' ELSE ',' || (SELECT"
            " coalesce(string_agg(s.xmin::text, ' ' ORDER BY s.objid), '') FROM pg_depend s WHERE s.classid ="
            " 'pg_class'::regclass AND s.refclassid = 'pg_namespace'::regclass AND s.objid = ANY"
            " (ARRAY(SELECT relid::oid FROM pg_partition_ancestors(c.oid)) || c.oid)) END");
    put_number(sql, buffer_cstr(&text));
    buffer_done(&text);
}

static void put_unlogged(struct buffer *sql)
{
    buffer_str(sql,
               ", EXISTS (SELECT FROM pg_class l WHERE l.relpersistence = 'u' AND l.oid = ANY (f.oids))");
}

/* ALTER TABLE … TYPE … USING writes the column's definition anew, and the rows too: of these no change tells.
 */
static void put_shape(struct buffer *sql, int version)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_printf(
        &text,
        "(SELECT string_agg(a.attnum || ' ' || a.xmin::text, ',' ORDER BY a.attnum) FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT %s)",
        left_out(version));
    put_number(sql, buffer_cstr(&text));
    buffer_done(&text);
    /* A table's file has its oid as its number until its rows are written anew: a partition that comes is
     * none. By pg_class, not pg_relation_filenode(), which tells of now: both halves are of one moment. */
    put_number(sql,
               version >= 130000
                   ? "coalesce(nullif(c.relfilenode, 0)::text, '') || ' ' || coalesce((SELECT string_agg("
                     "l.relfilenode::text, ',' ORDER BY l.oid) FROM pg_class l WHERE l.oid = ANY (f.oids)"
                     " AND l.relfilenode <> 0 AND l.relfilenode <> l.oid AND (c.relkind = 'p' OR"
                     " c.relispartition)), '')"
                   : "nullif(c.relfilenode, 0)::text");
}

static void put_names(struct buffer *sql, int version)
{
    buffer_printf(
        sql,
        ", (SELECT string_agg(CASE WHEN a.attisdropped OR %s THEN '' ELSE left(md5(a.attname::text), "
        "%d) END, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)",
        left_out(version), PG_NAME_SIZE);
}

/* Of what tells which row an update or delete is of: an index; and from 18 on of the whole row, without which
 * the server refuses them. 's' or 'v' before its name. */
static void put_generated(struct buffer *sql, int version)
{
    if (version < 120000) {
        buffer_str(sql, ", ''");
        return;
    }
    buffer_printf(
        sql,
        ", coalesce((SELECT min(a.attgenerated::text || quote_ident(a.attname)) FROM pg_class l JOIN "
        "pg_attribute a ON a.attrelid = l.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE l.relkind = 'r' "
        "AND "
        "l.oid = ANY (f.oids) AND %s AND"
        " (%s EXISTS (SELECT FROM pg_index x WHERE x.indrelid = l.oid AND a.attnum = ANY "
        "((x.indkey::int2[])[0:x.indnkeyatts - 1]) AND"
        " CASE l.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE "
        "false END))), '')",
        left_out(version), version >= 180000 ? "l.relreplident = 'f' OR" : "");
}

/* The table and its partitions, as the statement's snapshot has them: pg_partition_tree() would wait for who
 * alters one. Servers before 13 publish no roots. */
static void put_tree(struct buffer *sql, int version)
{
    buffer_str(sql, " CROSS JOIN LATERAL (");
    if (version < 130000)
        buffer_str(sql, "SELECT ARRAY[c.oid] AS oids");
    else
        buffer_printf(
            sql,
            "WITH RECURSIVE t (oid) AS (SELECT c.oid UNION SELECT i.inhrelid FROM t JOIN pg_inherits i"
            " ON i.inhparent = t.oid WHERE c.relkind = 'p'%s) SELECT array_agg(t.oid) AS oids FROM t",
            version >= 140000 ? " AND NOT i.inhdetachpending" : "");
    buffer_str(sql, ") f");
}

static void put_look(struct buffer *sql, const struct pg_config *config, const struct pg_standings *tables,
                     int version)
{
    buffer_str(sql, "SELECT c.oid, coalesce(");
    put_member(sql, version);
    buffer_str(sql, ", 0::oid), g.tablename IS NOT NULL");
    put_less(sql, version);
    put_unidentified(sql);
    put_partitions(sql);
    put_unlogged(sql);
    put_generated(sql, version);
    put_published_as(sql, version);
    put_shape(sql, version);
    put_names(sql, version);
    buffer_str(sql, " FROM (VALUES ");
    for (size_t i = 0; i < tables->count; i++) {
        const struct pg_table *table = tables->items[i].table;
        buffer_printf(sql, "%s(%zu, %u::oid, ", i ? ", " : "", i, table->oid);
        pg_put_literal(sql, table->schema);
        buffer_str(sql, ", ");
        pg_put_literal(sql, table->name);
        buffer_byte(sql, ')');
    }
    buffer_str(
        sql,
        ") v (place, oid, schema, name) LEFT JOIN pg_class c ON c.oid = coalesce((SELECT k.oid FROM"
        " pg_class k JOIN pg_namespace m ON m.oid = k.relnamespace WHERE m.nspname = v.schema"
        " AND k.relname = v.name AND k.relkind IN ('r', 'p')), v.oid)"
        " LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_publication p ON p.pubname = ");
    pg_put_literal(sql, pg_config_publication(config));
    buffer_str(sql, " LEFT JOIN pg_publication_rel d ON d.prpubid = p.oid AND d.prrelid = c.oid");
    buffer_str(sql, " LEFT JOIN pg_publication_tables g ON g.pubname = p.pubname AND g.schemaname = n.nspname"
                    " AND g.tablename = c.relname");
    put_tree(sql, version);
    buffer_str(sql, " ORDER BY v.place");
}

static bool is_true(const PGresult *rows, size_t row, int column)
{
    return PQgetvalue(rows, (int)row, column)[0] == 't';
}

static uint64_t number_at(const PGresult *rows, size_t row, int column)
{
    return strtoull(PQgetvalue(rows, (int)row, column), NULL, 10);
}

int pg_standings_look(PGconn *connection, const struct pg_config *config, struct pg_standings *tables,
                      struct firth_error *err)
{
    struct buffer sql;
    if (!tables->count)
        return 0;
    buffer_init(&sql, BUFFER_UNLIMITED);
    put_look(&sql, config, tables, PQserverVersion(connection));
    pg_auto_result PGresult *rows =
        pg_query(connection, buffer_cstr(&sql), "cannot look at the publication", err);
    buffer_done(&sql);
    if (!rows)
        return -1;
    if ((size_t)PQntuples(rows) != tables->count)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the server told of %d tables, not of %zu",
                          PQntuples(rows), tables->count);
    arena_clear(&tables->arena);
    for (size_t i = 0; i < tables->count; i++) {
        struct pg_standing *standing = &tables->items[i];
        standing->oid = (uint32_t)number_at(rows, i, 0);
        standing->member = (uint32_t)number_at(rows, i, 1);
        standing->published = is_true(rows, i, 2);
        standing->filtered = standing->published && is_true(rows, i, 3);
        standing->narrowed = standing->published && is_true(rows, i, 4);
        standing->unidentified = is_true(rows, i, 5);
        standing->partitions = number_at(rows, i, 6);
        standing->unlogged = is_true(rows, i, 7);
        const char *generated = arena_strdup(&tables->arena, PQgetvalue(rows, (int)i, 8));
        standing->generated_stored = *generated == 's';
        standing->generated = *generated ? generated + 1 : "";
        standing->published_as = number_at(rows, i, 9);
        standing->columns = number_at(rows, i, 10);
        standing->written = number_at(rows, i, 11);
        standing->names = arena_strdup(&tables->arena, PQgetvalue(rows, (int)i, 12));
    }
    return 0;
}
