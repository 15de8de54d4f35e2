/* State that a dump walks: a list of N nodes, a table of hashed entries, threads that sleep; prints what is there.

   state N [changing]     prints "count sum" of the list and "entries total" of the table, then waits for its input to end;
   with `changing` the list's head is cut off and another put in front for ever */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum colour { RED, GREEN, BLUE = 7 };

struct node {
    struct node *next;
    uint32_t value;
    enum colour colour;
    unsigned low : 3, high : 5;
    char name[12];
};

struct entry {
    struct entry *next;
    const char *key;
    long hits;
};

#define BUCKETS 64

struct table {
    struct entry *buckets[BUCKETS];
    unsigned used;
};

struct node *head;
struct table table;
static volatile unsigned rounds;
void *nowhere = (void *)0x10;

static void push(uint32_t value) {
    struct node *made = calloc(1, sizeof *made);
    made->value = value;
    made->colour = value % 3 == 0 ? BLUE : value % 3;
    made->low = value;
    made->high = value;
    snprintf(made->name, sizeof made->name, "n%u", value);
    made->next = head;
    head = made;
}

static void insert(const char *key, long hits) {
    unsigned hash = 5381;
    for (const char *at = key; *at; at++)
        hash = hash * 33 + (unsigned char)*at;
    struct entry *made = malloc(sizeof *made);
    made->key = strdup(key);
    made->hits = hits;
    made->next = table.buckets[hash % BUCKETS];
    table.buckets[hash % BUCKETS] = made;
    table.used++;
}

static void *sleeper(void *argument) {
    for (;;)
        pause();
    return argument;
}

int main(int argc, char **argv) {
    unsigned count = argc > 1 ? atoi(argv[1]) : 100;
    uint64_t sum = 0;
    long total = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = i * 2654435761u;
        push(value);
        sum += value;
    }
    for (int i = 0; i < 211; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        insert(key, 3 * i);
        total += 3 * i;
    }
    pthread_t thread;
    pthread_create(&thread, NULL, sleeper, NULL);
    pthread_create(&thread, NULL, sleeper, NULL);
    printf("%u %llu %u %ld\n", count, (unsigned long long)sum, table.used, total);
    fflush(stdout);
    if (argc > 2)
        for (;;) { /* three at the front are moved: their links lead in a circle at times */
            struct node *first = head, *second = first->next, *third = second->next;
            second->next = first;
            first->next = third;
            head = second;
            rounds++;
        }
    while (getchar() != EOF)
        rounds++;
    return 0;
}
