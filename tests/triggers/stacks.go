// Seven goroutines whose stacks grow: deep() is called 7 * 1001 times, add(i, 10) once for each i from 0 to 6.
package main

import "fmt"

//go:noinline
func deep(n int, pad [64]int) int {
	if n == 0 {
		return pad[0]
	}
	pad[n%64] = n
	return deep(n-1, pad) + 1
}

//go:noinline
func add(a, b int) int {
	return a + b
}

func main() {
	done := make(chan int)
	for i := 0; i < 7; i++ {
		go func(i int) { done <- deep(1000, [64]int{})*0 + add(i, 10) }(i)
	}
	sum := 0
	for i := 0; i < 7; i++ {
		sum += <-done
	}
	fmt.Println("sum", sum)
}
