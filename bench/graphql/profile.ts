import { readFile } from 'node:fs/promises'

interface Frame {
  readonly functionName: string
  readonly url: string
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Where a process spent its time. */
export interface Shares {
  /** By package or part of the product: its own functions and what Node does on their behalf; shares of the busy time. */
  readonly parts: readonly (readonly [name: string, share: number])[]
  /** The functions that run longest themselves. */
  readonly functions: readonly (readonly [name: string, share: number])[]
}

/**
 * Sums up a .cpuprofile. Node's own functions and the engine's count for whoever called them; the garbage collector
 * and what nobody called stand for themselves.
 */
export async function sharesOf(path: string): Promise<Shares> {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(path, 'utf8')) as Profile
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const owners = new Map<number, string>()
  const ownerOf = (id: number): string => {
    const known = owners.get(id)
    if (known !== undefined) return known
    const { functionName, url } = byId.get(id)?.callFrame ?? { functionName: '', url: '' }
    const parent = parents.get(id)
    const own = (Object.hasOwn(SPECIAL, functionName) ? SPECIAL[functionName] : undefined) ?? partOf(url)
    const owner = own ?? (parent === undefined ? 'Node' : ownerOf(parent))
    owners.set(id, owner)
    return owner
  }
  const parts = new Map<string, number>()
  const functions = new Map<string, number>()
  let busy = 0
  samples.forEach((id, i) => {
    const frame = byId.get(id)?.callFrame
    const micros = timeDeltas[i] ?? 0
    if (frame === undefined || frame.functionName === '(idle)') return
    busy += micros
    add(parts, ownerOf(id), micros)
    add(functions, `${frame.functionName} ${frame.url.replace(/.*\/(node_modules|src)\//, '')}`, micros)
  })
  const sorted = (sums: Map<string, number>) =>
    [...sums].map(([name, micros]) => [name, micros / busy] as const).toSorted(([, a], [, b]) => b - a)
  return { parts: sorted(parts), functions: sorted(functions) }
}

const SPECIAL: Record<string, string | undefined> = {
  '(garbage collector)': 'garbage collector',
  '(program)': 'engine',
}

/** node_modules/@prisma/client/… is "@prisma/client", src/domain/… is "src/domain"; undefined for Node itself. */
function partOf(url: string): string | undefined {
  const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  return name ?? /\/(src\/[^/]+)/.exec(url)?.[1]
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value)
}
