/* SPDX-License-Identifier: MIT */
/*
 * Refused are the blocks of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890,
 * RFC 8190) that are not globally reachable, and what leads to them under another number. Where a
 * block is obsolete as a whole (6to4, Teredo) it is refused as a whole instead of looking into it:
 * nobody serves pictures there, and the IPv4 address inside would be reached past this check. NAT64
 * is in daily use (DNS64 makes its addresses), so there the inner address decides.
 */
#include "net/addr_policy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { ENTRY_TEXT = INET6_ADDRSTRLEN + 8 }; // the longest address, "/128", and room to see more

struct block_v4 {
    uint8_t addr[4];
    int bits;
};

struct block_v6 {
    uint8_t addr[16];
    int bits;
};

static const struct block_v4 refused_v4[] = {
    {{0, 0, 0, 0}, 8},        // "this network", RFC 791
    {{10, 0, 0, 0}, 8},       // private, RFC 1918
    {{100, 64, 0, 0}, 10},    // shared by carriers (CGNAT), RFC 6598; also Alibaba's metadata
    {{127, 0, 0, 0}, 8},      // loopback, RFC 1122
    {{168, 63, 129, 16}, 32}, // not in the registry: Azure's host agent, inside its machines only
    {{169, 254, 0, 0}, 16},   // link-local, RFC 3927; also most clouds' metadata
    {{172, 16, 0, 0}, 12},    // private, RFC 1918
    {{192, 0, 0, 0}, 24},     // protocol assignments, RFC 6890; also Oracle's metadata
    {{192, 0, 2, 0}, 24},     // documentation, RFC 5737
    {{192, 31, 196, 0}, 24},  // AS112, RFC 7535: a sink run by whoever is near
    {{192, 52, 193, 0}, 24},  // automatic multicast tunnelling, RFC 7450
    {{192, 88, 99, 0}, 24},   // 6to4 relays, RFC 7526
    {{192, 168, 0, 0}, 16},   // private, RFC 1918
    {{192, 175, 48, 0}, 24},  // AS112, RFC 7534
    {{198, 18, 0, 0}, 15},    // benchmarking, RFC 2544
    {{198, 51, 100, 0}, 24},  // documentation, RFC 5737
    {{203, 0, 113, 0}, 24},   // documentation, RFC 5737
    {{224, 0, 0, 0}, 4},      // multicast, RFC 5771
    {{240, 0, 0, 0}, 4},      // reserved, RFC 1112, and the limited broadcast address
};

/* Only 2000::/3 is global unicast (RFC 4291 and IANA's allocations), so loopback, mapped and
 * compatible IPv4, unique local, link-local, multicast, SRv6 and discard addresses need no rows. */
static const struct block_v6 global_v6 = {{0x20}, 3};
static const struct block_v6 nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96}; // 64:ff9b::/96, RFC 6052

static const struct block_v6 refused_v6[] = {
    {{0x20, 0x01}, 23}, // 2001::/23: protocol assignments, RFC 2928: Teredo, ORCHID, benchmarking
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             // 2001:db8::/32: documentation, RFC 3849
    {{0x20, 0x02}, 16},                         // 2002::/16: 6to4, RFC 3056, RFC 7526
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48}, // 2620:4f:8000::/48: AS112, RFC 7534
    {{0x3f, 0xff}, 20},                         // 3fff::/20: documentation, RFC 9637
};

static bool in_prefix(const uint8_t *addr, const uint8_t *prefix, int bits)
{
    int whole = bits / 8, rest = bits % 8;

    if (memcmp(addr, prefix, (size_t)whole) != 0)
        return false;
    return rest == 0 || (addr[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static bool public_v4(const uint8_t addr[4])
{
    for (size_t i = 0; i < sizeof(refused_v4) / sizeof(refused_v4[0]); i++)
        if (in_prefix(addr, refused_v4[i].addr, refused_v4[i].bits))
            return false;
    return true;
}

static bool public_v6(const uint8_t addr[16])
{
    if (in_prefix(addr, nat64.addr, nat64.bits))
        return public_v4(addr + 12);
    if (!in_prefix(addr, global_v6.addr, global_v6.bits))
        return false;
    for (size_t i = 0; i < sizeof(refused_v6) / sizeof(refused_v6[0]); i++)
        if (in_prefix(addr, refused_v6[i].addr, refused_v6[i].bits))
            return false;
    return true;
}

static void map_v4(const void *four, uint8_t out[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memcpy(out, mapped, sizeof(mapped));
    memcpy(out + 12, four, 4);
}

// The address in 16 bytes; false for families other than IPv4 and IPv6.
static bool address_bytes(const struct sockaddr *sa, uint8_t out[16])
{
    if (sa->sa_family == AF_INET) {
        map_v4(&((const struct sockaddr_in *)(const void *)sa)->sin_addr, out);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
        return true;
    }
    return false;
}

static bool exempt(const struct addr_policy *p, const struct sockaddr *sa, const uint8_t addr[16])
{
    for (int i = 0; i < p->allow_count; i++) {
        // "::/0" means every IPv6 address, not every IPv4 address in its mapped form.
        if (sa->sa_family == AF_INET && p->allow[i].bits < 96)
            continue;
        if (in_prefix(addr, p->allow[i].addr, p->allow[i].bits))
            return true;
    }
    return false;
}

bool addr_allowed(const struct addr_policy *p, const struct sockaddr *sa)
{
    uint8_t addr[16];

    if (!address_bytes(sa, addr))
        return false;
    if (exempt(p, sa, addr))
        return true;
    return sa->sa_family == AF_INET ? public_v4(addr + 12) : public_v6(addr);
}

bool addr_port_public(const struct addr_policy *p, int port)
{
    return port == 443 || port == 8443 || (p->allow_http && (port == 80 || port == 8080));
}

bool addr_port_allowed(const struct addr_policy *p, const struct sockaddr *sa, int port)
{
    uint8_t addr[16];

    return address_bytes(sa, addr) && (exempt(p, sa, addr) || addr_port_public(p, port));
}

// Reads "ADDRESS" or "ADDRESS/BITS".
static enum err parse_entry(const char *entry, uint8_t addr[16], int *bits, struct err_note *note)
{
    char text[ENTRY_TEXT];
    struct in_addr v4;
    int most, given;

    snprintf(text, sizeof(text), "%s", entry);
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1) {
        map_v4(&v4, addr);
        most = 32;
    } else if (inet_pton(AF_INET6, text, addr) == 1) {
        most = 128;
    } else {
        return err_set(note, ERR_INVALID,
                       "'%s' is not an address or network: write them as 10.0.0.0/8 or fd00::/8, "
                       "with commas between",
                       entry);
    }
    given = most;
    if (slash) {
        char *end;
        long n = strtol(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || n > most)
            return err_set(note, ERR_INVALID, "'%s': the part behind the slash must be 0 to %d",
                           entry, most);
        given = (int)n;
    }
    *bits = given + 128 - most;
    for (int i = *bits; i < 128; i++)
        if (addr[i / 8] & 0x80 >> i % 8)
            return err_set(note, ERR_INVALID,
                           "'%s' has bits set behind its first %d: write the network's own address",
                           entry, given);
    return ERR_OK;
}

enum err addr_policy_parse(struct addr_policy *p, const char *cidrs, bool allow_http,
                           struct err_note *note)
{
    struct addr_policy made = {.allow_http = allow_http};

    for (const char *at = cidrs ? cidrs : ""; *at;) {
        char entry[ENTRY_TEXT];
        at += strspn(at, " \t,");
        size_t n = strcspn(at, " \t,");
        if (n == 0)
            break;
        if (made.allow_count == ADDR_ALLOW_MAX)
            return err_set(note, ERR_INVALID, "more than %d networks are exempted", ADDR_ALLOW_MAX);
        snprintf(entry, sizeof(entry), "%.*s", n > sizeof(entry) ? (int)sizeof(entry) : (int)n, at);
        enum err e = parse_entry(entry, made.allow[made.allow_count].addr,
                                 &made.allow[made.allow_count].bits, note);
        if (e != ERR_OK)
            return e;
        made.allow_count++;
        at += n;
    }
    *p = made;
    return ERR_OK;
}
