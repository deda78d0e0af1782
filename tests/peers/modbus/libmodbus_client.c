// A Modbus client made of libmodbus: reads the same thing again and again and prints what came as JSON.
//
//   libmodbus_client tcp HOST PORT   OPTIONS
//   libmodbus_client rtu TTY BAUD    OPTIONS
//   OPTIONS: [--unit N] [--fn 1|2|3|4|5|6|16] [--at ADDRESS] [--count N] [--value N] [--repeat N]
//            [--timeout-ms N] [--summary 1]
//
// One line a request: {"ok":true,"values":[...],"us":N} or {"ok":false,"exception":N|null,"error":"...","us":N};
// with --summary one line at the end: {"requests":N,"ok":N,"failed":N,"seconds":S}.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <modbus/modbus.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  int unit = 1, function = 3, at = 0, count = 1, value = 0, timeout_ms = 1000, summary = 0;
  long repeat = 1;

  if (argc < 4 || argc % 2 != 0) {
    fprintf(stderr, "usage: libmodbus_client tcp HOST PORT | rtu TTY BAUD, then options; see the source\n");
    return 64;
  }
  for (int i = 4; i < argc; i += 2) {
    const int number = atoi(argv[i + 1]);
    if (strcmp(argv[i], "--unit") == 0) unit = number;
    else if (strcmp(argv[i], "--fn") == 0) function = number;
    else if (strcmp(argv[i], "--at") == 0) at = number;
    else if (strcmp(argv[i], "--count") == 0) count = number;
    else if (strcmp(argv[i], "--value") == 0) value = number;
    else if (strcmp(argv[i], "--repeat") == 0) repeat = number;
    else if (strcmp(argv[i], "--timeout-ms") == 0) timeout_ms = number;
    else if (strcmp(argv[i], "--summary") == 0) summary = number;
    else return 64;
  }

  const int tcp = strcmp(argv[1], "tcp") == 0;
  modbus_t *ctx = tcp ? modbus_new_tcp(argv[2], atoi(argv[3])) : modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1);
  if (ctx == NULL || modbus_set_slave(ctx, unit) == -1 || modbus_connect(ctx) == -1) {
    printf("{\"ok\":false,\"exception\":null,\"error\":\"connect: %s\",\"us\":0}\n", modbus_strerror(errno));
    return 69;
  }
  modbus_set_response_timeout(ctx, (uint32_t)timeout_ms / 1000, (uint32_t)timeout_ms % 1000 * 1000);

  uint8_t bits[MODBUS_MAX_READ_BITS];
  uint16_t words[MODBUS_MAX_READ_REGISTERS + 8];
  long good = 0;
  const double began = now();
  for (long i = 0; i < repeat; ++i) {
    const double start = now();
    int n = -1;
    errno = EINVAL;
    memset(words, 0, sizeof words);
    words[0] = (uint16_t)value;
    if (function == 1) n = modbus_read_bits(ctx, at, count, bits);
    else if (function == 2) n = modbus_read_input_bits(ctx, at, count, bits);
    else if (function == 3) n = modbus_read_registers(ctx, at, count, words);
    else if (function == 4) n = modbus_read_input_registers(ctx, at, count, words);
    else if (function == 5) n = modbus_write_bit(ctx, at, value);
    else if (function == 6) n = modbus_write_register(ctx, at, (uint16_t)value);
    else if (function == 16) n = modbus_write_registers(ctx, at, count, words);
    const long us = (long)((now() - start) * 1e6);

    if (n >= 0) ++good;
    if (summary) continue;
    if (n < 0) {
      const int code = errno - MODBUS_ENOBASE;
      char exception[16] = "null";
      if (code > 0 && code < MODBUS_EXCEPTION_MAX) snprintf(exception, sizeof exception, "%d", code);
      printf("{\"ok\":false,\"exception\":%s,\"error\":\"%s\",\"us\":%ld}\n", exception, modbus_strerror(errno), us);
    } else {
      printf("{\"ok\":true,\"values\":[");
      for (int k = 0; function <= 4 && k < n; ++k) printf("%s%d", k ? "," : "", function <= 2 ? bits[k] : words[k]);
      printf("],\"us\":%ld}\n", us);
    }
    fflush(stdout);
  }
  if (summary) printf("{\"requests\":%ld,\"ok\":%ld,\"failed\":%ld,\"seconds\":%.6f}\n", repeat, good, repeat - good, now() - began);
  modbus_close(ctx);
  modbus_free(ctx);
  return good == repeat ? 0 : 1;
}
