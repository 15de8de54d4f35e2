/*
 * Paths as text, devices, ancestors.
 *
 *	syscall::openat:entry { @[cleanpath(copyinstr(arg1))] = count(); }
 *	syscall::write:entry /progenyof($1)/ { @[execname] = count(); }
 */

/* a path without "//", "/./" and "/../", as far as that can be told without a look at the files */
function string cleanpath(string path)
{
	int is_absolute = index(path, "/") == 0;
	int depth = 0;
	int end = 0;
	string rest = path;
	string part = "";
	string clean = "";

	for (int i = 0; i < 128 && rest != ""; i++) {
		end = index(rest, "/");
		part = end < 0 ? rest : substr(rest, 0, end);
		rest = end < 0 ? "" : substr(rest, end + 1);
		if (part == "" || part == ".")
			continue;
		if (part == "..") {
			if (depth > 0) {
				end = rindex(clean, "/");
				clean = end < 0 ? "" : substr(clean, 0, end);
				depth--;
				continue;
			}
			if (is_absolute)
				continue;
		} else {
			depth++;
		}
		clean = clean == "" ? part : strjoin(strjoin(clean, "/"), part);
	}
	if (is_absolute)
		return strjoin("/", clean);
	return clean == "" && path != "" ? "." : clean;
}

/* the path of a kernel structure, from the root of all mounts */
function string d_path(struct path *place)
{
	return __path(__mount_of[place->mnt], place->dentry);
}

/* the part of a device's number that names its driver */
function int getmajor(dev_t device)
{
	return device >> 20;
}

/* the part of a device's number that names it among those of its driver */
function int getminor(dev_t device)
{
	return device & 0xfffff;
}

/* whether the running process is this one, or descends from it */
function int progenyof(pid_t ancestor)
{
	struct task_struct *t = curthread;

	for (int i = 0; i < 1024; i++) {
		if (__pid_of(t) == ancestor)
			return 1;
		if (t->tgid == 0)
			return 0;
		t = t->real_parent;
	}
	return 0;
}

/* What strtok() has not looked at yet. */
this string __strtok_rest;

function string __strtok_next(string delimiters)
{
	string rest = substr(this->__strtok_rest, strspn(this->__strtok_rest, delimiters));
	int end = strcspn(rest, delimiters);

	this->__strtok_rest = substr(rest, end + 1);
	return substr(rest, 0, end);
}

function string __strtok_first(string text, string delimiters)
{
	this->__strtok_rest = text;
	return __strtok_next(delimiters);
}
