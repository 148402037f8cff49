/* SPDX-License-Identifier: MIT */
/*
 * Draws a sample picture by path tracing (Kajiya 1986) and writes it as JPEG:
 *     sample-picture still-life|bust|street OUT.jpg [SAMPLES]
 * The pictures in the tree are what this wrote with the default number of samples a pixel.
 */
#include "scene.h"

#include "base/rand.h"
#include "image/codec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

/* One path that meets the lamp by chance must not leave a speck in the picture. */
#define RADIANCE_MAX 12.0f

struct job {
    const struct scene *scene;
    struct mesh mesh;
    int samples;
    atomic_int next_row;
    struct image out;
};

static struct vec on_hemisphere(struct vec n, struct pcg *rng)
{
    float u = pcg_float(rng), angle = 2 * PI * pcg_float(rng), r = sqrtf(u);
    struct vec s, t;

    frame(n, &s, &t);
    return normalize(
        add(add(scale(s, r * cosf(angle)), scale(t, r * sinf(angle))), scale(n, sqrtf(1 - u))));
}

/* A mirror direction about a facet drawn from the GGX distribution (Walter 2007). */
static struct vec mirrored(struct vec dir, struct vec n, float rough, struct pcg *rng)
{
    float a = rough * rough, u = pcg_float(rng), angle = 2 * PI * pcg_float(rng);
    float tan2 = a * a * u / (1 - u), c = 1 / sqrtf(1 + tan2), r = sqrtf(fmaxf(1 - c * c, 0));
    struct vec s, t, facet;

    frame(n, &s, &t);
    facet = add(add(scale(s, r * cosf(angle)), scale(t, r * sinf(angle))), scale(n, c));
    return normalize(sub(dir, scale(facet, 2 * dot(dir, facet))));
}

/* The part of the light that comes through from a to b: none behind opaque things. */
static struct vec visible(const struct job *job, struct vec a, struct vec b)
{
    struct vec d = sub(b, a), part = v3(1, 1, 1);
    float left = length(d) - 1e-3f;
    struct ray ray = {a, normalize(d), left};
    struct hit hit;

    while (mesh_hit(&job->mesh, &ray, &hit)) {
        struct surface s;
        job->scene->surface(&hit, &s);
        part = mul(part, s.through);
        if (part.y < .01f)
            return v3(0, 0, 0);
        left -= hit.distance + 1e-4f;
        ray.from = add(hit.pos, scale(ray.dir, 1e-4f));
        ray.far = left;
    }
    return part;
}

/* Light from the lamp that a diffuse surface of colour 1 sends on; (u, v) picks the point. */
static struct vec from_lamp(const struct job *job, struct vec at, struct vec n, float u, float v)
{
    struct lamp_point p;

    if (!job->scene->lamp(at, n, u, v, &p))
        return v3(0, 0, 0);
    return scale(mul(p.light, visible(job, at, p.at)), p.share);
}

static float fresnel(float straight, float c)
{
    float k = 1 - c;

    return straight + (1 - straight) * k * k * k * k * k;
}

/* The light that arrives along the ray. `u`, `v`: the point of the lamp that the first diffuse
 * surface looks at, spread evenly over the samples of a pixel. */
static struct vec radiance(const struct job *job, struct ray ray, float u, float v, struct pcg *rng)
{
    struct vec light = v3(0, 0, 0), weight = v3(1, 1, 1);
    bool lamp_counts = true; // after a diffuse bounce it was counted by from_lamp()

    for (int bounce = 0; bounce < job->scene->bounces;) {
        struct hit hit;
        struct surface s;
        if (!mesh_hit(&job->mesh, &ray, &hit)) {
            light = add(light, mul(weight, job->scene->beyond(&ray, lamp_counts)));
            break;
        }
        job->scene->surface(&hit, &s);
        light = add(light, mul(weight, s.glow));
        float facing = fmaxf(-dot(ray.dir, s.normal), .02f);
        float most = fmaxf(s.mirror.x, fmaxf(s.mirror.y, s.mirror.z));
        float shine = most > 0 ? fresnel(most, facing) : 0;
        // Reflections of the lamp are bright: look for them more often than they count.
        float chance = shine > 0 ? clampf(shine, .3f, 1) : 0;
        if (pcg_float(rng) < chance) {
            struct vec tint = scale(s.mirror, 1 / most);
            weight = scale(mul(weight, mix(tint, v3(1, 1, 1), (shine - most) / (1.001f - most))),
                           shine / chance);
            ray.dir = mirrored(ray.dir, s.normal, s.rough, rng);
            if (dot(ray.dir, hit.normal) <= 0)
                break;
            bounce++;
        } else {
            weight = scale(weight, (1 - shine) / (1 - chance));
            if (s.through.y > 0) {
                weight = mul(weight, s.through);
                ray.from = add(hit.pos, scale(ray.dir, 1e-4f));
                continue;
            }
            weight = mul(weight, s.colour);
            struct vec at = add(hit.pos, scale(hit.normal, 1e-4f)), direct;
            direct = from_lamp(job, at, s.normal, bounce ? pcg_float(rng) : u,
                               bounce ? pcg_float(rng) : v);
            light = add(light, mul(weight, direct));
            ray.dir = on_hemisphere(s.normal, rng);
            if (dot(ray.dir, hit.normal) <= 0)
                break;
            lamp_counts = false;
            bounce++;
        }
        ray.from = add(hit.pos, scale(hit.normal, 1e-4f));
        ray.far = 1e9f;
    }
    return light;
}

static struct ray camera_ray(const struct scene *c, float x, float y, struct pcg *rng)
{
    struct vec ahead = normalize(sub(c->target, c->eye)),
               right = normalize(cross(ahead, v3(0, 1, 0))), up = cross(right, ahead);
    float wide = (float)c->width, high = (float)c->height;
    float sx = (x / high - wide / (2 * high)) * 2 * c->half_height,
          sy = (.5f - y / high) * 2 * c->half_height;
    struct vec at = add(c->eye, scale(add(ahead, add(scale(right, sx), scale(up, sy))), c->focus));
    float r = c->lens_radius * sqrtf(pcg_float(rng)), angle = 2 * PI * pcg_float(rng);

    struct vec from = add(c->eye, add(scale(right, r * cosf(angle)), scale(up, r * sinf(angle))));
    return (struct ray){from, normalize(sub(at, from)), 1e9f};
}

/* Film: a curve with a toe and a shoulder (Hable 2010, normalised), then the sRGB curve. */
static uint8_t developed(float x, float exposure)
{
    float t = x * exposure * 2.0f, white = 9;
#define FILM(a) (((a) * (.22f * (a) + .03f) + .002f) / ((a) * (.22f * (a) + .3f) + .06f) - .0333f)
    float y = clampf(FILM(t) / FILM(white), 0, 1);
#undef FILM

    y = y <= .0031308f ? 12.92f * y : 1.055f * powf(y, 1 / 2.4f) - .055f;
    return (uint8_t)(y * 255 + .5f);
}

static struct vec pixel(const struct job *job, int x, int y)
{
    struct vec sum = v3(0, 0, 0);
    struct pcg rng;
    float u0, v0;

    pcg_seed(&rng, (uint64_t)y * (uint64_t)job->scene->width + (uint64_t)x, 1);
    u0 = pcg_float(&rng);
    v0 = pcg_float(&rng);
    for (int i = 0; i < job->samples; i++) {
        // The R2 sequence of Roberts (2018) covers the lamp evenly.
        float u = u0 + (float)i * .754877666f, v = v0 + (float)i * .569840291f;
        float px = (float)x + pcg_float(&rng), py = (float)y + pcg_float(&rng);
        struct vec c =
            radiance(job, camera_ray(job->scene, px, py, &rng), u - floorf(u), v - floorf(v), &rng);
        float most = fmaxf(c.x, fmaxf(c.y, c.z));
        sum = add(sum, most > RADIANCE_MAX ? scale(c, RADIANCE_MAX / most) : c);
    }
    return scale(sum, 1 / (float)job->samples);
}

static void draw_row(struct job *job, int row)
{
    const struct scene *s = job->scene;

    for (int x = 0; x < s->width; x++) {
        float dx = (float)x / (float)s->width - .5f, dy = (float)row / (float)s->height - .5f,
              vignette = 1 - .45f * (dx * dx + dy * dy);
        struct vec c = scale(pixel(job, x, row), vignette);
        uint8_t *out = job->out.px + (size_t)row * job->out.stride + 4 * (size_t)x;
        out[0] = developed(c.x, s->exposure);
        out[1] = developed(c.y, s->exposure);
        out[2] = developed(c.z, s->exposure);
        out[3] = 255;
    }
}

static void *draw(void *arg)
{
    struct job *job = arg;

    for (int row; (row = atomic_fetch_add(&job->next_row, 1)) < job->scene->height;)
        draw_row(job, row);
    return NULL;
}

static const struct scene *find_scene(const char *name)
{
    static const struct scene *const scenes[] = {&still_life, &bust, &street, NULL};

    for (const struct scene *const *s = scenes; *s; s++)
        if (strcmp((*s)->name, name) == 0)
            return *s;
    return NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: sample-picture still-life|bust|street OUT.jpg [SAMPLES]\n");
    return 2;
}

static int write_jpeg(const struct image *im, int quality, const char *path)
{
    struct buf file = BUF_INIT;
    const struct codec_meta meta = {.engine = NULL};
    enum err e = codec_encode_jpeg(im, &meta, quality, &file);
    FILE *out = e ? NULL : fopen(path, "wb");
    size_t written = out ? fwrite(file.data, 1, file.len, out) : 0;
    bool done = out && written == file.len;

    if (out && fclose(out) != 0)
        done = false;
    if (!done)
        fprintf(stderr, "sample-picture: cannot write %s\n", path);
    buf_release(&file);
    return done ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct job job = {.scene = argc > 1 ? find_scene(argv[1]) : NULL};
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int started = 0, status;

    if (!job.scene || argc < 3 || argc > 4)
        return usage();
    job.samples = argc > 3 ? atoi(argv[3]) : job.scene->samples;
    if (job.samples < 1)
        return usage();
    if (image_new(&job.out, job.scene->width, job.scene->height)) {
        fprintf(stderr, "sample-picture: out of memory\n");
        return 1;
    }
    job.scene->build(&job.mesh);
    while (started < cores && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, draw, &job) == 0)
        started++;
    draw(&job);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    status = write_jpeg(&job.out, job.scene->quality, argv[2]);
    image_release(&job.out);
    mesh_free(&job.mesh);
    return status;
}
