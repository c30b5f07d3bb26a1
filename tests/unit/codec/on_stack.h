/* on_stack: messages for tests of the reflection. */
#ifndef TESTS_CODEC_ON_STACK_H
#define TESTS_CODEC_ON_STACK_H

/* A message on the stack. The ..__INIT macros cast const away in the file that uses them. */
#define MESSAGE(type, name, init) \
	type name;                \
	init(&name)

#endif
