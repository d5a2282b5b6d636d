import { describe, expect, test } from 'vitest'
import { violationsInBoth } from '../axe.ts'
import { desk, page, useDesk, useVisits } from '../desk.ts'
import { eventually } from '../people.ts'

useDesk()
useVisits()

const dialog = () => page.getByRole('dialog')

/** Somebody who has installed an agent and registered a webhook, with their own key. */
async function whoMadeThings(name: string) {
  const { guddesk } = desk
  const person = await guddesk.newMember(guddesk.tenant, name, 'ADMIN')
  const key = await guddesk.newKey({ ...guddesk.tenant, ...person }, 'FULL_ACCESS')
  const hook = `http://127.0.0.1:9/${encodeURIComponent(name)}`
  const { data } = await guddesk.call('POST', '/api/v1/agents', { name: `Bot of ${name}`, webhookUrl: hook }, { key })
  await guddesk.call('POST', '/api/agent/webhooks', { url: `${hook}/own` }, { key })
  return { ...person, agentId: data.id as string, webhook: `${hook}/own` }
}

async function ask(name: string): Promise<void> {
  await page.goto('/w/acme/settings/members')
  await page.getByRole('button', { name: `Remove ${name}` }).click()
  await dialog().getByRole('list', { name: 'Remaining access' }).waitFor()
}

const agents = (id: string) => desk.guddesk.deps.db.prisma.agent.count({ where: { id } })

describe('removing somebody who made things', () => {
  test('offers to end them, lists them, and does that', async () => {
    const made = await whoMadeThings('Lea Leaver')
    await ask('Lea Leaver')
    const listed = await dialog().getByRole('list', { name: 'Remaining access' }).textContent()
    for (const part of ['Bot of Lea Leaver', made.webhook, 'FULL_ACCESS key']) expect(listed).toContain(part)
    expect(await violationsInBoth(page)).toEqual([])
    await dialog().getByRole('checkbox', { name: 'Remove these too' }).check()
    await dialog().getByRole('button', { name: 'Remove member' }).click()
    await eventually(async () => expect(await agents(made.agentId)).toBe(0))
    expect(await desk.guddesk.deps.db.prisma.webhookEndpoint.count({ where: { url: made.webhook } })).toBe(0)
  })

  test('leaves them when it is not asked to, and the agent’s page says who has left', async () => {
    const made = await whoMadeThings('Theo Gone')
    await ask('Theo Gone')
    await dialog().getByRole('button', { name: 'Remove member' }).click()
    await page.getByText('Theo Gone is not a member any more').waitFor()
    expect(await agents(made.agentId)).toBe(1)
    await page.goto(`/w/acme/settings/agents/${made.agentId}`)
    await page.getByText('by Theo Gone with the key FULL_ACCESS key, who has left').waitFor()
    expect(await violationsInBoth(page)).toEqual([])
    await page.goto('/w/acme/settings/audit-log')
    await page.getByRole('button', { name: /ended the access of the installer of the AI agent/ }).waitFor()
  })
})
