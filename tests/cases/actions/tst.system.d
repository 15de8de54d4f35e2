/* Commands run where they stand, their output between the rest; what is traced is one word, whatever it holds. */
#pragma D option quiet
#pragma D option destructive

BEGIN
{
	this->hostile = "a  b; echo 'no'";
	printf("one\n");
	system("echo two");
	printf("three\n");
	system("printf '[%%s]' %s %d %s; echo", this->hostile, 4, execname == "" ? "" : "$(echo no)");
	system("echo \"in quotes: %s\"", this->hostile);
	system("echo 'in single quotes: %s'", this->hostile);
	system("%s", "echo the program\\'s own words; echo are not traced");
	system("exit 3");
	exit(0);
}
