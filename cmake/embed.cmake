# FILES, a list of .sql files, as strings in the header OUT: 001_init.sql becomes schema_001_init.
# As numbers, because no compiler has to take a literal of that length.
set(text "/* Made by embed.cmake from the files in schema. */\n")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} sql HEX)
  string(REGEX REPLACE "(..)" "0x\\1," sql "${sql}")
  string(APPEND text "static const char schema_${name}[] = { ${sql}0 };\n")
endforeach()
file(WRITE ${OUT} "${text}")
