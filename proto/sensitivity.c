#include <stdlib.h>
#include <string.h>

#include "sensitivity.h"

static int compare(const void *wanted, const void *row)
{
	const struct sensitivity_row *a = wanted, *b = row;
	int order = strcmp(a->message, b->message);

	return order ? order : strcmp(a->field, b->field);
}

sensitivity sensitivity_of(
    const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	const struct sensitivity_row wanted = { .message = message->name, .field = field->name };
	const struct sensitivity_row *found =
	    bsearch(&wanted, sensitivity_rows, sensitivity_rows_len, sizeof(wanted), compare);

	return found ? found->kind : WALLETWIRE__V1__SENSITIVITY__KIND__OPEN;
}

const char *sensitivity_word(sensitivity kind)
{
	switch (kind) {
	case WALLETWIRE__V1__SENSITIVITY__KIND__PERSONAL:
		return "personal";
	case WALLETWIRE__V1__SENSITIVITY__KIND__TEXT:
		return "text";
	case WALLETWIRE__V1__SENSITIVITY__KIND__AMOUNT:
		return "amount";
	case WALLETWIRE__V1__SENSITIVITY__KIND__SECRET:
		return "secret";
	default:
		return "open";
	}
}
