#include <string.h>

#include "sensitivity.h"

static int compare(const char *message, const char *field, const struct sensitivity_row *row)
{
	int order = strcmp(message, row->message);

	return order ? order : strcmp(field, row->field);
}

sensitivity sensitivity_of(
    const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
	size_t low = 0, high = sensitivity_rows_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(message->name, field->name, &sensitivity_rows[middle]);

		if (order == 0)
			return sensitivity_rows[middle].kind;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return WALLETWIRE__V1__SENSITIVITY__KIND__OPEN;
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
