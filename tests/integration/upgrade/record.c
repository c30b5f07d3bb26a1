/* Prints the statements of the service that it is linked with; ./dev record keeps them for the
 * release after. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statements.h"

int main(void)
{
	for (size_t i = 0; i < store_statements_len; i++) {
		const struct db_statement *statement = &store_statements[i];

		if (statement->sql[strcspn(statement->sql, "\t\n")]) {
			(void)fprintf(stderr, "%s: a tab or a line break in it\n", statement->name);
			return EXIT_FAILURE;
		}
		(void)printf("%s\t%s\n", statement->name, statement->sql);
	}
	return EXIT_SUCCESS;
}
