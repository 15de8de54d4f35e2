// Sorts, joins and counts in two goroutines until its input ends.
package main

import (
	"bufio"
	"os"
	"sort"
	"strings"
)

var sink int

//go:noinline
func sorts(n int) {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = (i * 7919) % n
	}
	sort.Ints(numbers)
	sink += numbers[0]
}

//go:noinline
func joins(n int) {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = "word"
	}
	sink += strings.Count(strings.Join(parts, " "), "o")
}

//go:noinline
func maps(n int) {
	found := map[int]int{}
	for i := 0; i < n; i++ {
		found[i*31%997]++
	}
	sink += len(found)
}

func main() {
	for i := 0; i < 2; i++ {
		go func() {
			for {
				sorts(6000)
				joins(20000)
				maps(5000)
			}
		}()
	}
	bufio.NewReader(os.Stdin).ReadByte()
}
