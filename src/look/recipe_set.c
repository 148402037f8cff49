/* SPDX-License-Identifier: MIT */
#include "look/recipe.h"

#include "base/buf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECIPES_MAX = 256 };

struct recipe_set {
    struct recipe *recipe; /* owned, as are the names of their files */
    int count;
};

// `own`: the file is the user's, and its name is kept.
static enum err add(struct recipe_set *s, const char *file, const char *text, size_t len, bool own,
                    struct err_note *note)
{
    struct recipe made;
    enum err e = recipe_parse(file, text, len, &made, note);
    int i = 0;

    if (e != ERR_OK)
        return e;
    while (i < s->count && strcmp(s->recipe[i].name[0], made.name[0]) != 0)
        i++;
    if (i == RECIPES_MAX)
        return err_set(note, ERR_TOO_LARGE, "%s: more than %d looks", file, RECIPES_MAX);
    made.file = own ? strdup(file) : NULL;
    if (own && !made.file)
        return err_set(note, ERR_NOMEM, "no memory for %s", file);
    free((char *)(uintptr_t)s->recipe[i].file);
    s->recipe[i] = made;
    s->count += i == s->count;
    return ERR_OK;
}

// A pipe would be waited for without end.
static FILE *open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;

    if (fd >= 0 && !f)
        close(fd);
    return f;
}

static enum err add_file(struct recipe_set *s, const char *path, struct err_note *note)
{
    enum err e = ERR_OK;
    size_t len = 0;
    struct stat st;
    char *text = malloc(RECIPE_BYTES_MAX + 1);
    FILE *f = open_file(path);

    if (!text)
        e = err_set(note, ERR_NOMEM, "no memory for %s", path);
    else if (!f || fstat(fileno(f), &st) != 0)
        e = err_errno(note, "%s", path);
    else if (!S_ISREG(st.st_mode))
        e = err_set(note, ERR_INVALID, "%s: not a file", path);
    else {
        len = fread(text, 1, RECIPE_BYTES_MAX + 1, f);
        if (ferror(f))
            e = err_errno(note, "%s", path);
        else if (len > RECIPE_BYTES_MAX)
            e = err_set(note, ERR_TOO_LARGE, "%s: over %d bytes", path, RECIPE_BYTES_MAX);
        else
            e = add(s, path, text, len, true, note);
    }
    if (f)
        fclose(f);
    free(text);
    return e;
}

static int is_look(const struct dirent *d)
{
    const char *dot = strrchr(d->d_name, '.');

    return d->d_name[0] != '.' && dot && strcmp(dot, ".look") == 0;
}

static enum err add_dir(struct recipe_set *s, const char *dir, struct err_note *note)
{
    struct dirent **entry = NULL;
    enum err e = ERR_OK;
    int n = scandir(dir, &entry, is_look, alphasort);

    if (n < 0)
        return err_errno(note, "looks folder %s", dir);
    for (int i = 0; i < n; i++) {
        struct buf path = BUF_INIT;
        buf_addf(&path, "%s/%s", dir, entry[i]->d_name);
        if (e == ERR_OK)
            e = path.failed ? ERR_NOMEM : add_file(s, path.data, note);
        buf_release(&path);
        free(entry[i]);
    }
    free(entry);
    return e;
}

enum err recipe_set_open(const char *dir, struct recipe_set **out, struct err_note *note)
{
    struct recipe_set *s = calloc(1, sizeof(*s));
    enum err e = ERR_OK;

    if (!s)
        return err_set(note, ERR_NOMEM, "no memory for looks");
    s->recipe = calloc(RECIPES_MAX, sizeof(*s->recipe));
    if (!s->recipe) {
        recipe_set_close(s);
        return err_set(note, ERR_NOMEM, "no memory for looks");
    }
    for (const struct recipe_source *b = recipe_builtin; e == ERR_OK && b->file; b++)
        e = add(s, b->file, b->text, strlen(b->text), false, note);
    if (e == ERR_OK && dir)
        e = add_dir(s, dir, note);
    if (e == ERR_OK)
        *out = s;
    else
        recipe_set_close(s);
    return e;
}

void recipe_set_close(struct recipe_set *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->count; i++)
        free((char *)(uintptr_t)s->recipe[i].file);
    free(s->recipe);
    free(s);
}

const struct recipe *recipe_find(const struct recipe_set *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < s->recipe[i].names; k++)
            if (strcmp(s->recipe[i].name[k], name) == 0)
                return &s->recipe[i];
    return NULL;
}

// Letters of other scripts count as letters.
static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool stands_in(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *s = text; (s = strcasestr(s, name)); s++)
        if ((s == text || !in_word(s[-1])) && !in_word(s[n]))
            return true;
    return false;
}

const struct recipe *recipe_named_in(const struct recipe_set *s, const char *text,
                                     const char **name)
{
    const struct recipe *best = NULL;

    for (int i = 0; i < s->count; i++) {
        const struct recipe *r = &s->recipe[i];
        for (int k = 0; r->file && k < r->names; k++)
            if ((!best || strlen(r->name[k]) > strlen(*name)) && stands_in(text, r->name[k])) {
                best = r;
                *name = r->name[k];
            }
    }
    return best;
}

const struct recipe *recipe_at(const struct recipe_set *s, int i)
{
    return i >= 0 && i < s->count ? &s->recipe[i] : NULL;
}
