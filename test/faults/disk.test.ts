import { execFile } from 'node:child_process'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { type Child, newInstallation, post } from '../support/child.ts'
import { startReceiver } from '../support/receiver.ts'
import { startFlow, tell } from './flow.ts'

const run = promisify(execFile)

/** A file system of its own that can be filled; null where this user may not mount one. */
async function smallDisk(): Promise<{ folder: string; remove(): Promise<void> } | null> {
  const folder = await mkdtemp(join(tmpdir(), 'guddesk-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', folder])
  } catch {
    await rm(folder, { recursive: true })
    return null
  }
  return {
    folder,
    async remove() {
      await run('umount', ['-l', folder])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

test('a full disk under the embedded database: calls are refused, nothing that was acknowledged is lost', async () => {
  const disk = await smallDisk()
  if (disk === null) {
    console.warn('NOT RUN: a full disk under the embedded database, because this user may not mount a tmpfs.')
    return
  }
  const installation = await newInstallation()
  const receiver = await startReceiver()
  const env = { DATABASE_URL: '', REDIS_URL: '', DATA_DIR: join(disk.folder, 'data') }
  let child: Child = await installation.start(env)
  try {
    const flow = await startFlow(() => child, [receiver])
    await flow.write(40)
    const { bavail, bsize } = await statfs(disk.folder)
    const ballast = join(disk.folder, 'ballast')
    await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined)
    // Until the database needs another block; what is refused here was not acknowledged.
    const { data: visitor } = await post<{ data: { id: string } }>(child, '/api/v1/customers', { name: 'V' }).catch(
      () => ({
        data: { id: '' },
      }),
    )
    const long = 'x'.repeat(9000)
    let refused = 0
    for (let i = 0; i < 400 && refused < 3; i++) {
      const body = { visitorId: visitor.id, message: long }
      await post(child, '/api/v1/conversations', body).catch(() => refused++)
    }
    expect(refused).toBeGreaterThan(0)
    await rm(ballast)
    child.signal('SIGKILL')
    await child.exited()
    child = await installation.start(env)
    await flow.write(40)
    tell('disk full', await flow.arrived(), 80)
  } finally {
    await installation.remove()
    await receiver.close()
    await disk.remove()
  }
})
