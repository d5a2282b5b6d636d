import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '..', '..')
export const SCHEMA = join(ROOT, 'schema.graphql')
export const TOOLS = import.meta.dirname
export const EXAMPLE = join(ROOT, 'examples', 'inbox-client')

/**
 * Runs a program in a folder, those of its packages first.
 * @returns what it printed
 * @throws Error with what it printed, when it fails
 */
export async function run(folder: string, program: string, args: readonly string[]): Promise<string> {
  const PATH = `${join(folder, 'node_modules', '.bin')}:${process.env['PATH']}`
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args], {
      cwd: folder,
      env: { ...process.env, PATH },
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}
