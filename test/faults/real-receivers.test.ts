import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/child.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const PROGRAMS = fileURLToPath(new URL('receivers/', import.meta.url))
/** Debian's, which has Debian's packages, whatever else is called python3. */
const PYTHON = '/usr/bin/python3'
/** How long servers keep connections here, where that can be set. */
const KEPT_SECONDS = 1

/** How to start a server: its program, and what it is given. */
interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
}

interface Kind {
  readonly name: string
  /** Debian's packages. */
  readonly packages: string
  readonly hook: string
  readonly crash: string
  /** What the log of an attempt says when the receiver's own code fails. */
  readonly crashed: { statusCode: number | null; response: unknown; error: unknown }
  start(folder: string, port: number): Promise<Command[]>
}

const page = { statusCode: 500, response: expect.stringMatching(/<html/i), error: null }
const gunicorn = (port: number, ...args: string[]): Command => ({
  file: '/usr/bin/gunicorn',
  args: ['--chdir', PROGRAMS, '--bind', `127.0.0.1:${port}`, '--log-level', 'critical', ...args, 'flask_app:app'],
})

const KINDS: Kind[] = [
  {
    name: 'PHP in Apache',
    packages: 'libapache2-mod-php',
    hook: '/hook.php',
    crash: '/crash.php',
    crashed: { statusCode: 500, response: '', error: null },
    async start(folder, port) {
      const [php] = globSync('/usr/lib/apache2/modules/libphp*.so')
      const files = join(folder, 'files')
      await mkdir(files)
      for (const file of ['hook.php', 'crash.php']) await copyFile(join(PROGRAMS, file), join(files, file))
      const module = (name: string) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`
      const config = [
        ...['mpm_prefork', 'authz_core', 'mime'].map(module),
        `LoadModule php_module ${php}`,
        `ServerName localhost\nListen 127.0.0.1:${port}\nDocumentRoot ${files}`,
        `PidFile ${folder}/pid\nErrorLog ${folder}/errors\nTypesConfig /dev/null\nDefaultRuntimeDir ${folder}`,
        userInfo().uid === 0 ? 'User nobody\nGroup nogroup' : '',
        `KeepAlive On\nKeepAliveTimeout ${KEPT_SECONDS}\nStartServers 2\nMaxRequestWorkers 8`,
        '<FilesMatch "\\.php$">\nSetHandler application/x-httpd-php\n</FilesMatch>',
      ]
      await writeFile(join(folder, 'apache.conf'), `${config.join('\n')}\n`)
      return [{ file: '/usr/sbin/apache2', args: ['-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')] }]
    },
  },
  {
    name: 'Flask in gunicorn, with threads',
    packages: 'gunicorn python3-flask',
    hook: '/hook',
    crash: '/crash',
    crashed: page,
    start: async (_, port) => [
      gunicorn(port, '--worker-class', 'gthread', '--threads', '4', '--keep-alive', String(KEPT_SECONDS)),
    ],
  },
  {
    name: 'Flask in one synchronous gunicorn worker behind nginx',
    packages: 'nginx-light gunicorn python3-flask',
    hook: '/hook',
    crash: '/crash',
    crashed: page,
    async start(folder, port) {
      const behind = await freePort()
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      const temporary = paths.map((what) => `${what}_temp_path ${folder}/${what};`).join(' ')
      const server = `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${behind}; } }`
      const http = `access_log off; keepalive_timeout ${KEPT_SECONDS}; ${temporary} ${server}`
      const config = `daemon off; pid ${folder}/pid; error_log ${folder}/errors; events {}\nhttp { ${http} }`
      await writeFile(join(folder, 'nginx.conf'), config)
      return [gunicorn(behind), { file: '/usr/sbin/nginx', args: ['-p', folder, '-c', join(folder, 'nginx.conf')] }]
    },
  },
  {
    name: "Django's development server",
    packages: 'python3-django',
    hook: '/hook',
    crash: '/crash',
    crashed: page,
    start: async (_, port) => [
      { file: PYTHON, args: [join(PROGRAMS, 'django_app.py'), 'runserver', '--noreload', `127.0.0.1:${port}`] },
    ],
  },
  {
    name: "Ruby's WEBrick",
    packages: 'ruby3.1 ruby-webrick',
    hook: '/hook',
    crash: '/crash',
    crashed: page,
    start: async (_, port) => [{ file: '/usr/bin/ruby', args: [join(PROGRAMS, 'webrick_app.rb'), String(port)] }],
  },
  {
    name: "Go's net/http",
    packages: 'golang-go',
    hook: '/hook',
    crash: '/crash',
    // A handler that panics ends its connection without a word.
    crashed: {
      statusCode: null,
      response: null,
      error: 'The receiver closed the connection before the response was complete',
    },
    async start(folder, port) {
      const env = { ...process.env, GO111MODULE: 'off', GOCACHE: join(folder, 'cache') }
      const built = join(folder, 'receiver')
      await run('/usr/bin/go', ['build', '-o', built, join(PROGRAMS, 'main.go')], { env })
      return [{ file: built, args: [String(port)] }]
    },
  },
]

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

describe.concurrent.each(KINDS)('$name', ({ packages, hook, crash, crashed, start }) => {
  let folder: string
  let origin: string
  const servers: ChildProcess[] = []
  let said = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'guddesk-receiver-'))
    await chmod(folder, 0o777)
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    const install = `apt-get install --no-install-recommends ${packages}`
    const commands = await start(folder, port).catch((error: unknown) => {
      throw new Error(`It cannot be built: ${install}`, { cause: error })
    })
    const env = { ...process.env, SECRET_FILE: join(folder, 'secret'), PYTHONDONTWRITEBYTECODE: '1' }
    for (const { file, args } of commands) {
      if (!existsSync(file)) throw new Error(`${file} is not installed: ${install}`)
      // In a process group of its own: Apache ends all of its group when it stops.
      const server = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
      server.stderr?.on('data', (chunk) => {
        said += chunk
      })
      servers.push(server)
    }
    const answers = () =>
      fetch(origin).then(
        ({ status }) => status < 502,
        () => false,
      )
    await until(answers, 30_000, () => `${install}: ${said}`)
  })

  afterAll(async () => {
    for (const server of servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue
      const exit = once(server, 'exit')
      server.kill('SIGTERM')
      const kill = setTimeout(() => server.kill('SIGKILL'), 3000)
      await exit
      clearTimeout(kill)
    }
    await rm(folder, { recursive: true, force: true })
  })

  /** A workspace whose events go to that path alone. The secret is the hook's: what crashes asks for none. */
  async function sendingTo(path: string): Promise<Tenant> {
    const tenant = await guddesk.newTenant()
    const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: origin + path }, { key: tenant.key })
    for (const place of [folder, join(folder, 'files')]) {
      if (path === hook && existsSync(place)) await writeFile(join(place, 'secret'), `${data.endpoint.secret}\n`)
    }
    return tenant
  }

  async function attemptsOf({ workspaceId }: Tenant, count: number) {
    const { deliveryAttempt } = guddesk.deps.db.prisma
    const find = () => deliveryAttempt.findMany({ where: { delivery: { workspaceId } }, orderBy: { startedAt: 'asc' } })
    await until(
      async () => (await find()).length >= count,
      20_000,
      () => said,
    )
    return find()
  }

  test('verifies what is signed, many at once and whenever it closes a kept connection', async () => {
    const tenant = await sendingTo(hook)
    await Promise.all(Array.from({ length: 20 }, () => guddesk.newConversation(tenant)))
    await attemptsOf(tenant, 20)
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * KEPT_SECONDS - 50 + 10 * i))
      await guddesk.newConversation(tenant)
    }
    const attempts = await attemptsOf(tenant, 30)
    expect(attempts.map(({ statusCode, error, response }) => [statusCode, error, response])).toEqual(
      Array(30).fill([200, null, 'verified conversation.created']),
    )
    expect(attempts.map(({ number }) => number)).toEqual(Array(30).fill(1))
  })

  test('its own failure is recorded', async () => {
    const tenant = await sendingTo(crash)
    await guddesk.newConversation(tenant)
    expect(await attemptsOf(tenant, 1)).toMatchObject([{ number: 1, ...crashed }])
  })
})
