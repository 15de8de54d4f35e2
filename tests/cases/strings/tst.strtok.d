/* Parts of a string between delimiters, one after the other, in all clauses of a firing. */
#pragma D option quiet

BEGIN
{
	printf("%s|", strtok(",a,;b;c;", ",;"));
	printf("%s|", strtok(NULL, ",;"));
}

BEGIN
{
	printf("%s|", strtok(NULL, ",;"));
	printf("%d|", strtok(NULL, ",;") == NULL);
	printf("%d\n", strtok(NULL, ",;") == NULL);
	this->text = "key=a value";
	this->key = strtok(this->text, "=");
	printf("%s:%s:%s\n", this->key, strtok(NULL, ""), this->text);
	printf("[%s][%s]\n", strtok("", ","), strtok(";;", ";"));
	exit(0);
}
