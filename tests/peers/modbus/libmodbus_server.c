// A Modbus server made of libmodbus: what the tests poll, and the peer of the throughput benchmark.
//
//   libmodbus_server tcp [--host H] [--port N] [--receive own|library]
//   libmodbus_server rtu --device TTY [--baud N] [--parity N|E|O] [--unit N]
//   both: [--size N]   registers and bits of each kind, 300 by default
//
// The first line on stdout is {"ready":true,"port":N}. Then it takes commands on stdin, one a line, and
// answers each with one line of JSON:
//
//   set coil|discrete|holding|input ADDRESS VALUE...     values as decimal or 0x...
//   count                                                {"requests":N}: answered or kept silent
//   silent 0|1           hears everything, answers nothing
//   exception CODE       answers everything with this exception, 0 ends it
//   delay MS             waits that long before each answer
//   drop                 closes every TCP connection
//
// One thread, level-triggered epoll. `modbus_receive` calls select() for every piece of a request: five
// system calls a request, and a stack overrun from descriptor 1024 on. So the bytes are by default read
// here, as many as are there, and each request among them goes to `modbus_reply`: two system calls a
// request and 2000 connections. `--receive library` is the plain way, for up to 1000 connections.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "data_map.h"

enum { kMaxConnections = 2000, kMaxDescriptors = 4096, kMbapHeader = 6 };

typedef struct {
  uint8_t bytes[2 * MODBUS_TCP_MAX_ADU_LENGTH];
  int have;
} Connection;

static modbus_mapping_t *map;
static Connection *connections[kMaxDescriptors];
static int connection_count;
static unsigned long requests;
static int silent, exception_code, delay_ms;
static int receive_with_library;

static void die(const char *what) {
  fprintf(stderr, "libmodbus_server: %s: %s\n", what, modbus_strerror(errno));
  exit(69);
}

static void wait_ms(int ms) {
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  while (nanosleep(&t, &t) == -1 && errno == EINTR) {
  }
}

static int answer(modbus_t *ctx, const uint8_t *request, int length) {
  ++requests;
  if (silent) return 0;
  if (delay_ms > 0) wait_ms(delay_ms);
  if (exception_code > 0) return modbus_reply_exception(ctx, request, (unsigned)exception_code);
  return modbus_reply(ctx, request, length, map);
}

// ---- commands -------------------------------------------------------------------------------------

static void drop_all_connections(void);

static void obey(char *line) {
  char *save = NULL;
  const char *word = strtok_r(line, " \n", &save);
  const char *rest = strtok_r(NULL, " \n", &save);
  int done = word != NULL;

  if (!done) return;
  if (strcmp(word, "count") == 0) {
    printf("{\"requests\":%lu}\n", requests);
    fflush(stdout);
    return;
  }
  if (strcmp(word, "drop") == 0) {
    drop_all_connections();
  } else if (rest == NULL) {
    done = 0;
  } else if (strcmp(word, "silent") == 0) {
    silent = atoi(rest);
  } else if (strcmp(word, "exception") == 0) {
    exception_code = atoi(rest);
  } else if (strcmp(word, "delay") == 0) {
    delay_ms = atoi(rest);
  } else if (strcmp(word, "set") == 0) {
    const char *address = strtok_r(NULL, " \n", &save);
    int at = address ? atoi(address) : -1;
    for (const char *v; done && (v = strtok_r(NULL, " \n", &save)) != NULL; ++at) {
      const unsigned long value = strtoul(v, NULL, 0);
      if (at < 0 || at >= map->nb_registers) done = 0;
      else if (strcmp(rest, "coil") == 0) map->tab_bits[at] = value != 0;
      else if (strcmp(rest, "discrete") == 0) map->tab_input_bits[at] = value != 0;
      else if (strcmp(rest, "holding") == 0) map->tab_registers[at] = (uint16_t)value;
      else if (strcmp(rest, "input") == 0) map->tab_input_registers[at] = (uint16_t)value;
      else done = 0;
    }
  } else {
    done = 0;
  }
  printf("{\"ok\":%s}\n", done ? "true" : "false");
  fflush(stdout);
}

// Returns 0 at the end of stdin. Commands are short, and each comes in one write.
static int take_commands(void) {
  static char text[65536];
  static size_t have;
  const ssize_t n = read(STDIN_FILENO, text + have, sizeof text - have - 1);
  if (n <= 0) return n < 0 && errno == EAGAIN;
  have += (size_t)n;
  text[have] = '\0';

  char *line = text;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    obey(line);
  }
  have = strlen(line);
  memmove(text, line, have);
  return 1;
}

// ---- TCP ------------------------------------------------------------------------------------------

static int epoll_fd, listen_fd;

static void watch(int fd) {
  struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) == -1 && errno != EPERM) die("epoll_ctl");
}

static void drop(int fd) {
  if (connections[fd] == NULL) return;
  free(connections[fd]);
  connections[fd] = NULL;
  --connection_count;
  close(fd);
}

static void drop_all_connections(void) {
  for (int fd = 0; fd < kMaxDescriptors; ++fd) drop(fd);
}

static void take_connections(void) {
  for (;;) {
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd == -1) return;
    const int limit = receive_with_library ? 1000 : kMaxConnections;
    if (fd >= kMaxDescriptors || connection_count >= limit) {
      close(fd);
      continue;
    }
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connections[fd] = calloc(1, sizeof(Connection));
    ++connection_count;
    watch(fd);
  }
}

// Everything that is there, one `modbus_reply` for each whole request.
static int serve_own(modbus_t *ctx, int fd) {
  Connection *c = connections[fd];
  const ssize_t n = recv(fd, c->bytes + c->have, sizeof c->bytes - (size_t)c->have, MSG_DONTWAIT);
  if (n <= 0) return n == -1 && (errno == EAGAIN || errno == EINTR);
  c->have += (int)n;

  int at = 0;
  while (c->have - at >= kMbapHeader) {
    const uint8_t *request = c->bytes + at;
    const int length = kMbapHeader + (request[4] << 8 | request[5]);
    if (request[2] || request[3] || length < kMbapHeader + 2 || length > MODBUS_TCP_MAX_ADU_LENGTH) return 0;
    if (c->have - at < length) break;
    if (answer(ctx, request, length) == -1) return 0;
    at += length;
  }
  c->have -= at;
  memmove(c->bytes, c->bytes + at, (size_t)c->have);
  return 1;
}

static int serve_with_library(modbus_t *ctx) {
  uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
  const int length = modbus_receive(ctx, request);
  if (length == -1) return 0;
  return length == 0 || answer(ctx, request, length) != -1;
}

static void serve_tcp(const char *host, int port) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max < kMaxDescriptors ? files.rlim_max : kMaxDescriptors;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  const int yes = 1;
  socklen_t size = sizeof address;
  inet_pton(AF_INET, host, &address.sin_addr);
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listen_fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(listen_fd, 1024) == -1) die("listen");
  getsockname(listen_fd, (struct sockaddr *)&address, &size);

  modbus_t *ctx = modbus_new_tcp(host, ntohs(address.sin_port));
  if (ctx == NULL) die("modbus_new_tcp");
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(listen_fd);
  watch(STDIN_FILENO);
  printf("{\"ready\":true,\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);

  struct epoll_event events[256];
  for (;;) {
    const int n = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listen_fd) {
        take_connections();
      } else if (fd == STDIN_FILENO) {
        if (!take_commands()) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
      } else if (connections[fd] != NULL) {
        modbus_set_socket(ctx, fd);
        if (!(receive_with_library ? serve_with_library(ctx) : serve_own(ctx, fd))) drop(fd);
      }
    }
  }
}

// ---- RTU ------------------------------------------------------------------------------------------

static void serve_rtu(const char *device, int baud, char parity, int unit) {
  modbus_t *ctx = modbus_new_rtu(device, baud, parity, 8, 1);
  if (ctx == NULL || modbus_set_slave(ctx, unit) == -1 || modbus_connect(ctx) == -1) die(device);
  const int line = modbus_get_socket(ctx);

  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(line);
  watch(STDIN_FILENO);
  printf("{\"ready\":true,\"port\":null}\n");
  fflush(stdout);

  struct epoll_event events[4];
  uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];
  for (;;) {
    const int n = epoll_wait(epoll_fd, events, 4, -1);
    for (int i = 0; i < n; ++i) {
      if (events[i].data.fd == STDIN_FILENO) {
        if (!take_commands()) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        continue;
      }
      const int length = modbus_receive(ctx, request);   // 0: for another unit
      if (length > 0) answer(ctx, request, length);
      if (length == -1 && (errno == EIO || errno == EBADF || errno == ECONNRESET)) exit(0);   // unplugged
      if (length == -1) modbus_flush(ctx);
    }
  }
}

int main(int argc, char **argv) {
  const char *host = "127.0.0.1", *device = NULL;
  int port = 0, baud = 9600, unit = 1, size = 300;
  char parity = 'N';

  if (argc < 2 || argc % 2 != 0) {
    fprintf(stderr, "usage: libmodbus_server tcp|rtu [--host H] [--port N] [--receive own|library] [--device TTY] "
                    "[--baud N] [--parity N|E|O] [--unit N] [--size N]\n");
    return 64;
  }
  for (int i = 2; i < argc; i += 2) {
    const char *value = argv[i + 1];
    if (strcmp(argv[i], "--host") == 0) host = value;
    else if (strcmp(argv[i], "--port") == 0) port = atoi(value);
    else if (strcmp(argv[i], "--receive") == 0) receive_with_library = strcmp(value, "library") == 0;
    else if (strcmp(argv[i], "--device") == 0) device = value;
    else if (strcmp(argv[i], "--baud") == 0) baud = atoi(value);
    else if (strcmp(argv[i], "--parity") == 0) parity = *value;
    else if (strcmp(argv[i], "--unit") == 0) unit = atoi(value);
    else if (strcmp(argv[i], "--size") == 0) size = atoi(value);
    else return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  map = new_data_map(size);
  if (map == NULL) die("data map");
  if (strcmp(argv[1], "rtu") == 0 && device != NULL) serve_rtu(device, baud, parity, unit);
  else serve_tcp(host, port);
}
