/* line: 3 */

pid4194304:libc.so.6:malloc:entry
{
}
