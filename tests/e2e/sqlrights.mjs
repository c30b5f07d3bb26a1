// What each PostgreSQL role needs, by hand, and statements of everything else. None changes anything if it is refused;
// those that a breach would let through touch no row where that can be told apart.

export const ROLES = ['notifications', 'presence', 'chat', 'outbox', 'wallet', 'audit', 'auditor'];

// Each owns the schema of its name, but those of ww-audit, who own nothing: their tables are of whoever set them up, as
// the outbox is. What they may do there:
const READ_AUDIT = Object.fromEntries(['records', 'heads', 'positions', 'unreadable', 'policy'].map((table) => [`audit.${table}`, ['SELECT']]));
const GRANTED = {
  wallet: { 'walletwire_outbox.events': ['INSERT'] },
  outbox: { 'walletwire_outbox.events': ['SELECT', 'DELETE'], 'walletwire_outbox.dead': ['SELECT', 'INSERT'] },
  auditor: READ_AUDIT,
  audit: { ...READ_AUDIT, 'audit.records': ['SELECT', 'INSERT'], 'audit.heads': ['SELECT', 'INSERT'], 'audit.unreadable': ['SELECT', 'INSERT'], 'audit.positions': ['SELECT', 'INSERT'] },
};
const isOwn = (role, schema) => schema === role && !GRANTED[role]?.[`${schema}.records`];

export const OWN = {
  notifications: ['SELECT count(*) FROM notifications.migrations', 'DELETE FROM notifications.migrations WHERE false'],
  presence: ['SELECT count(*) FROM presence.users', 'DELETE FROM presence.users WHERE false'],
  chat: ['SELECT count(*) FROM chat.migrations', 'DELETE FROM chat.migrations WHERE false'],
  outbox: ['SELECT count(*) FROM walletwire_outbox.events', 'DELETE FROM walletwire_outbox.events WHERE false', 'SELECT count(*) FROM walletwire_outbox.dead'],
  audit: ['SELECT count(*) FROM audit.records'],
  auditor: ['SELECT count(*) FROM audit.records'],
  wallet: ['CREATE TABLE wallet.own (id int)', 'DROP TABLE wallet.own'],
};

const STATEMENTS = {
  SELECT: (t) => [`SELECT count(*) FROM ${t}`, `COPY ${t} TO STDOUT`, `SELECT 1 FROM ${t} FOR UPDATE`],
  INSERT: (t) => [`INSERT INTO ${t} DEFAULT VALUES`, `COPY ${t} FROM STDIN`],
  UPDATE: (t, column) => [`UPDATE ${t} SET ${column} = ${column} WHERE false`],
  DELETE: (t) => [`DELETE FROM ${t} WHERE false`],
  TRUNCATE: (t) => [`TRUNCATE ${t}`],
};

// What only an owner may.
const owners = (t) => [
  `ALTER TABLE ${t} DISABLE TRIGGER ALL`,
  `ALTER TABLE ${t} OWNER TO CURRENT_USER`,
  `ALTER TABLE ${t} ADD COLUMN planted int`,
  `DROP TABLE ${t}`,
  `CREATE INDEX ON ${t} ((1))`,
  `CREATE RULE planted AS ON INSERT TO ${t} DO NOTHING`,
];

const sequences = (s) => [`SELECT nextval('${s}')`, `SELECT setval('${s}', 1)`, `SELECT last_value FROM ${s}`];

const schemas = (schema) => [`CREATE TABLE ${schema}.planted (id int)`, `CREATE FUNCTION ${schema}.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'`, `DROP SCHEMA ${schema} CASCADE`, `ALTER SCHEMA ${schema} OWNER TO CURRENT_USER`];

const others = (role) => [`SET ROLE ${role}`, `SET SESSION AUTHORIZATION ${role}`, `ALTER ROLE ${role} PASSWORD 'planted'`, `ALTER ROLE ${role} SUPERUSER`, `GRANT ${role} TO CURRENT_USER`, `DROP ROLE ${role}`, `REASSIGN OWNED BY ${role} TO CURRENT_USER`];

// The whole server, whatever the role.
const SERVER = [
  "COPY (SELECT 1) TO PROGRAM 'id'",
  "COPY (SELECT 1) TO '/tmp/planted'",
  'CREATE TEMP TABLE planted (line text)',
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT pg_read_binary_file('postgresql.conf')",
  "SELECT pg_ls_dir('.')",
  "SELECT pg_stat_file('PG_VERSION')",
  'SELECT pg_ls_logdir()',
  'SELECT pg_ls_waldir()',
  "SELECT lo_import('/etc/passwd')",
  "SELECT lo_export(1, '/tmp/planted')",
  'SELECT * FROM pg_authid',
  'SELECT * FROM pg_shadow',
  'SELECT * FROM pg_hba_file_rules',
  'SELECT * FROM pg_file_settings',
  'SELECT * FROM pg_config',
  'SELECT subconninfo FROM pg_subscription',
  'SELECT pg_reload_conf()',
  'SELECT pg_rotate_logfile()',
  'SELECT pg_switch_wal()',
  "SELECT pg_create_restore_point('planted')",
  "SELECT pg_logical_emit_message(false, 'planted', 'x') FROM pg_create_physical_replication_slot('planted')",
  "SELECT pg_create_logical_replication_slot('planted', 'pgoutput')",
  'SELECT pg_promote()',
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' UNION ALL SELECT pg_reload_conf()",
  "ALTER SYSTEM SET log_statement = 'all'",
  "SET log_statement = 'all'",
  "SET session_replication_role = 'replica'",
  "SET session_preload_libraries = 'planted'",
  "LOAD 'planted'",
  'CREATE ROLE planted',
  'CREATE ROLE planted SUPERUSER LOGIN',
  'CREATE DATABASE planted',
  'DROP DATABASE walletwire',
  'ALTER DATABASE walletwire OWNER TO CURRENT_USER',
  'ALTER DATABASE walletwire SET search_path = planted',
  'ALTER ROLE CURRENT_USER SUPERUSER',
  'ALTER ROLE CURRENT_USER CREATEROLE',
  'ALTER ROLE CURRENT_USER REPLICATION',
  'CREATE SCHEMA planted',
  'CREATE TABLE public.planted (id int)',
  "CREATE FUNCTION pg_catalog.planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "CREATE FUNCTION pg_temp.planted() RETURNS int LANGUAGE c AS 'planted'",
  "CREATE FUNCTION pg_temp.planted() RETURNS int LANGUAGE internal AS 'int4um'",
  'CREATE EXTENSION adminpack SCHEMA pg_catalog',
  'CREATE EXTENSION file_fdw SCHEMA pg_catalog',
  'CREATE EVENT TRIGGER planted ON ddl_command_start EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()',
  "CREATE TABLESPACE planted LOCATION '/tmp/planted'",
  'CREATE PUBLICATION planted FOR ALL TABLES',
  "CREATE SUBSCRIPTION planted CONNECTION 'host=127.0.0.1' PUBLICATION planted",
  'CHECKPOINT',
  'UPDATE pg_class SET relname = relname WHERE false',
  'GRANT pg_read_all_data TO CURRENT_USER',
  'GRANT pg_execute_server_program TO CURRENT_USER',
  'SET ROLE pg_write_all_data',
];

function ofRelation(role, { schema, name, isSequence, column }) {
  const table = `${schema}."${name}"`;
  if (isSequence) return sequences(table);
  const granted = GRANTED[role]?.[`${schema}.${name}`] ?? [];
  const verbs = Object.keys(STATEMENTS).filter((verb) => !granted.includes(verb));
  return [...verbs.flatMap((verb) => STATEMENTS[verb](table, column)), ...owners(table)];
}

// Every statement that `role` has to be refused, given the relations there are.
export function forbidden(role, relations) {
  const foreign = relations.filter(({ schema }) => !isOwn(role, schema));
  const foreignSchemas = [...new Set(foreign.map(({ schema }) => schema))];
  return [
    ...foreign.flatMap((relation) => ofRelation(role, relation)),
    ...foreignSchemas.flatMap(schemas),
    ...['postgres', ...ROLES].filter((other) => other !== role).flatMap(others),
    ...SERVER,
  ];
}
