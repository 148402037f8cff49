/* SPDX-License-Identifier: MIT */
/* The API tells about itself: docs/openapi.yaml as it is, and as a page for people. Both are made
 * at build time and need nothing from elsewhere. */
#include "api/api_internal.h"

static void answer_fixed(struct http_request *r, const char *type, const char *data, size_t len)
{
    struct http_response out = HTTP_RESPONSE(200);

    out.type = type;
    out.fixed = data;
    out.fixed_len = len;
    http_set_header(r, "Cache-Control", "no-cache"); // the next version has others
    http_answer(r, &out);
}

void get_description(void *ctx, struct http_request *r)
{
    (void)ctx;
    answer_fixed(r, "application/yaml", api_description, api_description_len);
}

void get_page(void *ctx, struct http_request *r)
{
    (void)ctx;
    http_set_header(r, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    answer_fixed(r, "text/html; charset=utf-8", api_page, api_page_len);
}
