/* SPDX-License-Identifier: MIT */
#include "api/own_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEX "0123456789abcdef"

bool own_file_name(const char *name, struct own_file *out)
{
    static const char *const stems[] = {"0", "1", "2", "3", "grid"};
    static const char *const exts[] = {"png", "webp", "jpg"};
    const char *dot = strchr(name, '.');

    if (!dot)
        return false;
    for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++) {
        size_t len = strlen(stems[i]);
        if ((size_t)(dot - name) != len || memcmp(name, stems[i], len) != 0)
            continue;
        for (size_t k = 0; k < sizeof(exts) / sizeof(exts[0]); k++) {
            if (strcmp(dot + 1, exts[k]) != 0)
                continue;
            memcpy(out->stem, stems[i], len + 1);
            memcpy(out->ext, exts[k], strlen(exts[k]) + 1);
            return true;
        }
    }
    return false;
}

void own_file_signed(const char *expires, const char *signature, struct own_file *out)
{
    out->expires = -1;
    out->signature[0] = '\0';
    if (!expires || !signature)
        return;
    size_t digits = strlen(expires);
    if (digits == 0 || digits > 15 || strspn(expires, "0123456789") != digits ||
        strlen(signature) != sizeof(out->signature) - 1)
        return;
    out->expires = strtoll(expires, NULL, 10);
    memcpy(out->signature, signature, sizeof(out->signature));
}

// "JOB/NAME.EXT" with or without "?expires=N&signature=HEX".
static bool read_file(const char *s, struct own_file *out)
{
    char name[16], expires[17] = "", signature[66] = "";
    size_t id = strcspn(s, "/?#");

    if (id != UUID_TEXT - 1 || s[id] != '/')
        return false;
    memcpy(out->job, s, id);
    out->job[id] = '\0';
    s += id + 1;
    size_t len = strcspn(s, "?#/");
    if (len >= sizeof(name))
        return false;
    memcpy(name, s, len);
    name[len] = '\0';
    if (!own_file_name(name, out))
        return false;
    s += len;
    own_file_signed(NULL, NULL, out);
    if (!*s)
        return true;
    if (strncmp(s, "?expires=", 9) != 0)
        return false;
    s += 9;
    len = strcspn(s, "&");
    if (len >= sizeof(expires) || strncmp(s + len, "&signature=", 11) != 0)
        return false;
    memcpy(expires, s, len);
    s += len + 11;
    len = strlen(s);
    if (len >= sizeof(signature))
        return false;
    memcpy(signature, s, len);
    own_file_signed(expires, signature, out);
    return out->expires >= 0;
}

enum own_url own_url_read(const char *public_url, const char *url, struct own_file *file,
                          char upload_id[OWN_UPLOAD_ID])
{
    size_t len = strlen(public_url);

    if (strncasecmp(url, public_url, len) != 0 || (url[len] && !strchr("/?#", url[len])))
        return OWN_URL_NONE;
    url += len;
    if (!strncmp(url, "/uploads/", 9)) {
        url += 9;
        if (strlen(url) != OWN_UPLOAD_ID - 1 || strspn(url, HEX) != OWN_UPLOAD_ID - 1)
            return OWN_URL_OTHER;
        memcpy(upload_id, url, OWN_UPLOAD_ID);
        return OWN_URL_UPLOAD;
    }
    if (!strncmp(url, "/files/", 7))
        return read_file(url + 7, file) ? OWN_URL_FILE : OWN_URL_OTHER;
    return OWN_URL_OTHER;
}
