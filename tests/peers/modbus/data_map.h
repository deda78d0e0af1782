// The values every Modbus server of these tests starts with: `data_map` of tests/vectors/modbus.json.
#ifndef LIGHTSHIP_TESTS_DATA_MAP_H
#define LIGHTSHIP_TESTS_DATA_MAP_H

#include <modbus/modbus.h>

static modbus_mapping_t *new_data_map(int size) {
  modbus_mapping_t *map = modbus_mapping_new(size, size, size, size);
  if (map == NULL) return NULL;
  for (int i = 0; i < size; ++i) {
    map->tab_bits[i] = (7 * i + 3) % 5 < 2;
    map->tab_input_bits[i] = (3 * i + 1) % 4 == 0;
    map->tab_registers[i] = (uint16_t)(0x1000 + 0x0101 * i);
    map->tab_input_registers[i] = (uint16_t)(0xA5A5 ^ (0x0203 * i));
  }
  return map;
}

#endif
