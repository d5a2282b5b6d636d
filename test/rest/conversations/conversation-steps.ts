import { afterAll, beforeAll, expect } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ok } from '../objects.ts'

export const PATH = '/api/v1/conversations'

export let guddesk: TestGudDesk

export const read = async (id: string) => (await ok(guddesk.call('GET', `${PATH}/${id}`))).data
export const patch = (id: string, body: unknown) => guddesk.call('PATCH', `${PATH}/${id}`, body)

export async function expectRefused(id: string, body: unknown, path?: string): Promise<void> {
  const before = await read(id)
  const { status, error } = await patch(id, body)
  expect([body, status, error?.code]).toEqual([body, 400, 'bad_request'])
  if (path !== undefined) expect(error.fields?.map((field) => field.path.split('.')[0])).toContain(path)
  expect(await read(id)).toEqual(before)
}

/** A running server. */
export function useServer(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk()
  })
  afterAll(() => guddesk?.stop())
}
