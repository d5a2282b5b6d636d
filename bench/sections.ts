import { readFile, writeFile } from 'node:fs/promises'

const PATH = new URL('../BENCHMARKS.md', import.meta.url)

/** A text's sections by their `## ` headings; what stands before the first has the heading ''. */
function sectionsOf(text: string): Map<string, string> {
  const [head = '', ...sections] = text.split(/^(?=## )/m)
  return new Map([
    ['', head],
    ...sections.map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
  ])
}

/** Writes these sections into BENCHMARKS.md and keeps its others: each benchmark writes its own. */
export async function writeSections(text: string): Promise<void> {
  const kept = sectionsOf(await readFile(PATH, 'utf8').catch(() => ''))
  const all = [...new Map([...kept, ...sectionsOf(text)]).values()]
  await writeFile(PATH, `${all.map((section) => section.trim()).join('\n\n')}\n`)
}
