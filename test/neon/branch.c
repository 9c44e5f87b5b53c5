/*
 * Declares the two settings by which Neon's own extension tells a database where it lives. As there, they are fixed
 * when the server starts, so that no session can make them up. The embedded binaries bring no headers of the
 * server, hence the few declarations of Postgres 17 here.
 */
typedef struct {
  int len, version, funcmaxargs, indexmaxkeys, namedatalen, float8byval;
  char abi_extra[32];
} Magic;

extern void DefineCustomStringVariable(const char *name, const char *short_desc, const char *long_desc,
                                       char **value, const char *boot_value, int context, int flags,
                                       void *check_hook, void *assign_hook, void *show_hook);

enum { FIXED_AT_START = 1 };

static char *project;
static char *branch;

const Magic *Pg_magic_func(void) {
  static const Magic magic = {sizeof(Magic), 1700, 100, 32, 64, 1, "PostgreSQL"};
  return &magic;
}

void _PG_init(void) {
  DefineCustomStringVariable("neon.project_id", "Project of this server", 0, &project, "", FIXED_AT_START, 0, 0, 0, 0);
  DefineCustomStringVariable("neon.branch_id", "Branch of this server", 0, &branch, "", FIXED_AT_START, 0, 0, 0, 0);
}
