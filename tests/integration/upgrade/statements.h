/* statements: the SQL of a service as a file, by which the next release is judged. One a line:
 * name, tab, text. */
#ifndef UPGRADE_STATEMENTS_H
#define UPGRADE_STATEMENTS_H

#include "db/db.h"

/* Those of the service that this program is linked with. */
extern const struct db_statement store_statements[];
extern const size_t store_statements_len;
extern const struct db_migration store_migrations[];
extern const size_t store_migrations_len;

#endif
