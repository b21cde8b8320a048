/*
 * How fast ISA-L codes, in GB of data per second of processor time on one core.
 *
 * Arguments: k, m, bytes of an element, milliseconds of a round, `encode` or `decode`. Decoding makes m data elements that are missing from k others.
 */
#include <isa-l/erasure_code.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int k = atoi(argv[1]), m = atoi(argv[2]), length = atoi(argv[3]), milliseconds = atoi(argv[4]);
  int n = k + m, decoding = strcmp(argv[5], "decode") == 0;
  unsigned char *matrix = malloc(n * k), *inverse = malloc(k * k), *rows = malloc(k * k);
  unsigned char *tables = malloc(32 * k * m), **data = malloc(k * sizeof *data), **made = malloc(m * sizeof *made);
  gf_gen_cauchy1_matrix(matrix, n, k);
  if (decoding) {
    /* The first m elements are missing: the last k elements stand in for all. */
    memcpy(rows, matrix + m * k, k * k);
    if (gf_invert_matrix(rows, inverse, k) != 0) return 3;
    ec_init_tables(k, m, inverse, tables);
  } else {
    ec_init_tables(k, m, matrix + k * k, tables);
  }
  for (int i = 0; i < k; i++) {
    if (posix_memalign((void **)&data[i], 64, length)) return 4;
    for (int at = 0; at < length; at++) data[i][at] = (unsigned char)(at * 31 + i * 7);
  }
  for (int i = 0; i < m; i++)
    if (posix_memalign((void **)&made[i], 64, length)) return 4;
  long count = 0;
  clock_t start = clock(), end = start + (clock_t)milliseconds * (CLOCKS_PER_SEC / 1000), now;
  do {
    for (int i = 0; i < 16; i++) ec_encode_data(length, k, m, tables, data, made);
    count += 16;
    now = clock();
  } while (now < end);
  printf("%f\n", (double)count * k * length / ((double)(now - start) / CLOCKS_PER_SEC) / 1e9);
  return 0;
}
