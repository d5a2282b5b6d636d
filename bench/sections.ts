import { readFile, writeFile } from 'node:fs/promises'

const PATH = new URL('../BENCHMARKS.md', import.meta.url)

/** A text's sections by their `## ` headings; what stands before the first has the heading ''. */
function sectionsOf(text: string): Map<string, string> {
  const headingOf = (part: string) => (part.startsWith('## ') ? part.slice(0, part.indexOf('\n')) : '')
  return new Map(text.split(/^(?=## )/m).map((part) => [headingOf(part), part]))
}

/** Writes these sections into BENCHMARKS.md and keeps its others: each benchmark writes its own. */
export async function writeSections(text: string): Promise<void> {
  const kept = sectionsOf(await readFile(PATH, 'utf8').catch(() => ''))
  const all = [...new Map([...kept, ...sectionsOf(text)]).values()]
  await writeFile(PATH, `${all.map((section) => section.trim()).join('\n\n')}\n`)
}
