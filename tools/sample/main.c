/* SPDX-License-Identifier: MIT */
/*
 * Draws the sample picture, a lit still life, by path tracing (Kajiya 1986) and writes it as JPEG:
 *     sample-picture OUT.jpg [SAMPLES]
 * The picture in the tree is what this wrote with the default number of samples a pixel.
 */
#include "material.h"
#include "scene.h"

#include "base/rand.h"
#include "image/codec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { WIDTH = 1200, HEIGHT = 900, SAMPLES = 128, BOUNCES_MAX = 5, THREADS_MAX = 64, QUALITY = 90 };

/* One path that meets the window by chance must not leave a speck in the picture. */
#define RADIANCE_MAX 12.0f
#define LENS_RADIUS  .0028f
#define EXPOSURE     1.2f

struct job {
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
static struct vec visible(const struct mesh *m, struct vec a, struct vec b)
{
    struct vec d = sub(b, a), part = v3(1, 1, 1);
    float left = length(d) - 1e-3f;
    struct ray ray = {a, normalize(d), left};
    struct hit hit;

    while (mesh_hit(m, &ray, &hit)) {
        struct surface s;
        material_at(&hit, &s);
        part = mul(part, s.through);
        if (part.y < .01f)
            return v3(0, 0, 0);
        left -= hit.distance + 1e-4f;
        ray.from = add(hit.pos, scale(ray.dir, 1e-4f));
        ray.far = left;
    }
    return part;
}

/* Light from the window that a diffuse surface of colour 1 sends on; (u, v) picks the point. */
static struct vec from_window(const struct mesh *m, struct vec at, struct vec n, float u, float v)
{
    float y = WINDOW_Y0 + (WINDOW_Y1 - WINDOW_Y0) * u, z = WINDOW_Z0 + (WINDOW_Z1 - WINDOW_Z0) * v;
    struct vec to = sub(v3(WINDOW_X, y, z), at), dir = normalize(to);
    float area = (WINDOW_Y1 - WINDOW_Y0) * (WINDOW_Z1 - WINDOW_Z0);
    float facing = dot(n, dir) * -dir.x; // the window looks along x

    if (dot(n, dir) <= 0 || dir.x >= 0)
        return v3(0, 0, 0);
    return scale(mul(window_light(y, z), visible(m, at, v3(WINDOW_X, y, z))),
                 facing * area / (PI * dot(to, to)));
}

/* What a ray that hits nothing sees: the window or the room. */
static struct vec beyond(const struct ray *ray)
{
    float t = ray->dir.x < 0 ? (WINDOW_X - ray->from.x) / ray->dir.x : -1;
    float y = ray->from.y + t * ray->dir.y, z = ray->from.z + t * ray->dir.z;

    if (t > 0 && y > WINDOW_Y0 && y < WINDOW_Y1 && z > WINDOW_Z0 && z < WINDOW_Z1)
        return window_light(y, z);
    return room_light(ray->dir);
}

static float fresnel(float straight, float c)
{
    float k = 1 - c;

    return straight + (1 - straight) * k * k * k * k * k;
}

/* The light that arrives along the ray. `u`, `v`: the point of the window that the first diffuse
 * surface looks at, spread evenly over the samples of a pixel. */
static struct vec radiance(const struct mesh *m, struct ray ray, float u, float v, struct pcg *rng)
{
    struct vec light = v3(0, 0, 0), weight = v3(1, 1, 1);
    bool window_counts = true; // after a diffuse bounce it was counted by from_window()

    for (int bounce = 0; bounce < BOUNCES_MAX;) {
        struct hit hit;
        struct surface s;
        if (!mesh_hit(m, &ray, &hit)) {
            struct vec seen = window_counts ? beyond(&ray) : room_light(ray.dir);
            light = add(light, mul(weight, seen));
            break;
        }
        material_at(&hit, &s);
        float facing = fmaxf(-dot(ray.dir, s.normal), .02f);
        float most = fmaxf(s.mirror.x, fmaxf(s.mirror.y, s.mirror.z));
        float shine = most > 0 ? fresnel(most, facing) : 0;
        // Reflections of the window are bright: look for them more often than they count.
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
            direct = from_window(m, at, s.normal, bounce ? pcg_float(rng) : u,
                                 bounce ? pcg_float(rng) : v);
            light = add(light, mul(weight, direct));
            ray.dir = on_hemisphere(s.normal, rng);
            if (dot(ray.dir, hit.normal) <= 0)
                break;
            window_counts = false;
            bounce++;
        }
        ray.from = add(hit.pos, scale(hit.normal, 1e-4f));
        ray.far = 1e9f;
    }
    return light;
}

static struct ray camera_ray(float x, float y, struct pcg *rng)
{
    const struct vec eye = v3(.03f, .43f, 1.36f), target = v3(.012f, .1f, 0);
    const float half_height = .208f, focus = 1.34f;
    struct vec ahead = normalize(sub(target, eye)), right = normalize(cross(ahead, v3(0, 1, 0))),
               up = cross(right, ahead);
    float sx = (x / HEIGHT - (float)WIDTH / (2 * HEIGHT)) * 2 * half_height,
          sy = (.5f - y / HEIGHT) * 2 * half_height;
    struct vec at = add(eye, scale(add(ahead, add(scale(right, sx), scale(up, sy))), focus));
    float r = LENS_RADIUS * sqrtf(pcg_float(rng)), angle = 2 * PI * pcg_float(rng);

    struct vec from = add(eye, add(scale(right, r * cosf(angle)), scale(up, r * sinf(angle))));
    return (struct ray){from, normalize(sub(at, from)), 1e9f};
}

/* Film: a curve with a toe and a shoulder (Hable 2010, normalised), then the sRGB curve. */
static uint8_t developed(float x)
{
    float t = x * EXPOSURE * 2.0f, white = 9;
#define FILM(a) (((a) * (.22f * (a) + .03f) + .002f) / ((a) * (.22f * (a) + .3f) + .06f) - .0333f)
    float y = clampf(FILM(t) / FILM(white), 0, 1);
#undef FILM

    y = y <= .0031308f ? 12.92f * y : 1.055f * powf(y, 1 / 2.4f) - .055f;
    return (uint8_t)(y * 255 + .5f);
}

static void draw_row(struct job *job, int row)
{
    for (int x = 0; x < WIDTH; x++) {
        struct pcg rng;
        struct vec sum = v3(0, 0, 0);
        float u0, v0;
        pcg_seed(&rng, (uint64_t)row * WIDTH + (uint64_t)x, 1);
        u0 = pcg_float(&rng);
        v0 = pcg_float(&rng);
        for (int i = 0; i < job->samples; i++) {
            // The R2 sequence of Roberts (2018) covers the window evenly.
            float u = u0 + (float)i * .754877666f, v = v0 + (float)i * .569840291f;
            float px = (float)x + pcg_float(&rng), py = (float)row + pcg_float(&rng);
            struct vec c =
                radiance(&job->mesh, camera_ray(px, py, &rng), u - floorf(u), v - floorf(v), &rng);
            float most = fmaxf(c.x, fmaxf(c.y, c.z));
            sum = add(sum, most > RADIANCE_MAX ? scale(c, RADIANCE_MAX / most) : c);
        }
        float dx = (float)x / WIDTH - .5f, dy = (float)row / HEIGHT - .5f,
              vignette = 1 - .45f * (dx * dx + dy * dy);
        sum = scale(sum, vignette / (float)job->samples);
        uint8_t *out = job->out.px + (size_t)row * job->out.stride + 4 * (size_t)x;
        out[0] = developed(sum.x);
        out[1] = developed(sum.y);
        out[2] = developed(sum.z);
        out[3] = 255;
    }
}

static void *draw(void *arg)
{
    struct job *job = arg;

    for (int row; (row = atomic_fetch_add(&job->next_row, 1)) < HEIGHT;)
        draw_row(job, row);
    return NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: sample-picture OUT.jpg [SAMPLES]\n");
    return 2;
}

static int write_jpeg(const struct image *im, const char *path)
{
    struct buf file = BUF_INIT;
    const struct codec_meta meta = {.engine = NULL};
    enum err e = codec_encode_jpeg(im, &meta, QUALITY, &file);
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
    struct job job = {.samples = argc > 2 ? atoi(argv[2]) : SAMPLES};
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int started = 0, status;

    if (argc < 2 || argc > 3 || job.samples < 1)
        return usage();
    if (image_new(&job.out, WIDTH, HEIGHT)) {
        fprintf(stderr, "sample-picture: out of memory\n");
        return 1;
    }
    scene_build(&job.mesh);
    while (started < cores && started < THREADS_MAX &&
           pthread_create(&threads[started], NULL, draw, &job) == 0)
        started++;
    draw(&job);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    status = write_jpeg(&job.out, argv[1]);
    image_release(&job.out);
    mesh_free(&job.mesh);
    return status;
}
