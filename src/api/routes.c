/* SPDX-License-Identifier: MIT */
#include "api/api_internal.h"
#include "image/image.h"

enum { UPLOAD_BODY_MAX = IMAGE_SOURCE_BYTES_MAX + MULTIPART_AROUND_MAX };

/* What the service answers to; `auth` needs a key, `body` needs a body of at most `body_max` bytes.
 */
const struct http_route api_routes[] = {
    {HTTP_POST, "/api/v1/retexture", "retexture", true, true, BODY_JSON_MAX, post_retexture},
    {HTTP_GET, "/api/v1/job/{id}", "job.get", true, false, 0, get_job},
    {HTTP_POST, "/api/v1/job/{id}/cancel", "job.cancel", true, false, BODY_JSON_MAX, post_cancel},
    {HTTP_GET, "/api/v1/job/{id}/events", "job.events", true, false, 0, get_events},
    {HTTP_GET, "/api/v1/jobs", "job.list", true, false, 0, get_jobs},
    {HTTP_POST, "/api/v1/uploads", "upload.post", true, true, UPLOAD_BODY_MAX, post_upload},
    {HTTP_GET, "/uploads/{id}", "upload.get", true, false, 0, get_upload},
    {HTTP_GET, "/api/account/balance", "account.balance", true, false, 0, get_balance},
    {HTTP_GET, "/api/account/info", "account.info", true, false, 0, get_info},
    {HTTP_GET, "/api/account/active_tasks", "account.tasks", true, false, 0, get_active_tasks},
    {HTTP_GET, "/api/v1/webhooks/deliveries", "webhook.list", true, false, 0, get_deliveries},
    {HTTP_POST, "/api/v1/webhooks/deliveries/{id}/redeliver", "webhook.redeliver", true, false,
     BODY_JSON_MAX, post_redeliver},
    {HTTP_GET, "/files/{job}/{name}", "file.get", false, false, 0, get_file},
    {HTTP_GET, "/openapi.yaml", "openapi", false, false, 0, get_description},
    {HTTP_GET, "/docs", "docs", false, false, 0, get_page},
    {HTTP_GET, "/healthz", "healthz", false, false, 0, get_healthz},
    {HTTP_GET, "/readyz", "readyz", false, false, 0, get_readyz},
};

const int api_route_count = sizeof(api_routes) / sizeof(api_routes[0]);
