/* SPDX-License-Identifier: MIT */
#include "support/faulty_sqlite.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static _Atomic int armed, left, failed;
static atomic_bool goes_on;

static bool fails(enum fault kind)
{
    if (atomic_load(&armed) != (int)kind)
        return false;
    int before = atomic_fetch_sub(&left, 1);
    bool now = before == 1 || (before < 1 && atomic_load(&goes_on));
    if (now)
        atomic_fetch_add(&failed, 1);
    return now;
}

void faulty_sqlite_arm(enum fault kind, int nth, bool lasting)
{
    atomic_store(&armed, FAULT_NONE);
    atomic_store(&left, nth);
    atomic_store(&goes_on, lasting);
    atomic_store(&failed, 0);
    atomic_store(&armed, (int)kind);
}

int faulty_sqlite_disarm(void)
{
    atomic_store(&armed, FAULT_NONE);
    return atomic_load(&failed);
}

// ---- files ----

struct file {
    sqlite3_file base;
    sqlite3_file *real; // lies behind this struct
};

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

static int f_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int f_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return fails(FAULT_READ_IO) ? SQLITE_IOERR_READ : real(f)->pMethods->xRead(real(f), out, n, at);
}

static int f_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    if (fails(FAULT_WRITE_IO))
        return SQLITE_IOERR_WRITE;
    if (fails(FAULT_WRITE_FULL))
        return SQLITE_FULL;
    return real(f)->pMethods->xWrite(real(f), data, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real(f)->pMethods->xTruncate(real(f), size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    return fails(FAULT_SYNC) ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return real(f)->pMethods->xFileSize(real(f), out);
}

static int f_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int f_reserved(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int f_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int f_shm_unmap(sqlite3_file *f, int delete_it)
{
    return real(f)->pMethods->xShmUnmap(real(f), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static sqlite3_vfs vfs;

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    struct file *mine = (struct file *)f;
    sqlite3_vfs *below = v->pAppData;

    mine->real = (sqlite3_file *)(mine + 1);
    int rc = below->xOpen(below, name, mine->real, flags, out_flags);
    mine->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

// ---- memory ----

static sqlite3_mem_methods memory;

static void *m_alloc(int n)
{
    return fails(FAULT_NOMEM) ? NULL : memory.xMalloc(n);
}

static void *m_realloc(void *p, int n)
{
    return fails(FAULT_NOMEM) ? NULL : memory.xRealloc(p, n);
}

void faulty_sqlite_install(void)
{
    int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods mine = memory;

    assert(rc == SQLITE_OK);
    mine.xMalloc = m_alloc;
    mine.xRealloc = m_realloc;
    rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
    assert(rc == SQLITE_OK);
    // The small-object buffers of a connection would hide most allocations.
    rc = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    assert(rc == SQLITE_OK);
    // As the store would, which comes too late for it; a fifth of the time.
    rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    assert(rc == SQLITE_OK);
    (void)rc;
    sqlite3_initialize();
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "faulty";
    vfs.pAppData = below;
    vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    vfs.xOpen = v_open;
    sqlite3_vfs_register(&vfs, 1);
}
