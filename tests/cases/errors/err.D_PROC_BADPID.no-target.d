/* line: 3 */

pid$target:libc.so.6:malloc:entry
{
}
