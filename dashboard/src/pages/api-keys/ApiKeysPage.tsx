import { usePages } from '../../api/usePages.ts'
import type { ApiKeysQuery, OwnApiKeysQuery } from '../../generated/documents.ts'
import { Page } from '../../ui/layout/Page.tsx'
import { WhomToAsk } from '../../viewer/NotAllowed.tsx'
import { mayManage } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { CreateKey } from './CreateKey.tsx'
import { ApiKeys, OwnApiKeys } from './documents.ts'
import { KeyList } from './KeyList.tsx'

const PAGE_SIZE = { first: 50 }
const all = ({ apiKeys }: ApiKeysQuery) => apiKeys
const own = ({ ownApiKeys }: OwnApiKeysQuery) => ownApiKeys

export function Component() {
  const { role } = useWorkspace()
  return mayManage(role) ? <AllKeys /> : <OwnKeys />
}

function AllKeys() {
  const pages = usePages(ApiKeys, PAGE_SIZE, all)
  return (
    <Page
      wide
      title="API keys"
      description="Credentials for programs that act in this workspace. A key never does more than the person it belongs to."
      actions={<CreateKey onCreated={pages.reload} />}
    >
      <KeyList pages={pages}>
        A key lets a program of yours read and change this workspace over REST or GraphQL. Create one with the least
        permission that does; you can revoke it at any time.
      </KeyList>
    </Page>
  )
}

/** Without full access: what belongs to oneself. */
function OwnKeys() {
  const pages = usePages(OwnApiKeys, PAGE_SIZE, own)
  return (
    <Page
      wide
      title="API keys"
      description={
        <>
          Your own keys. Owners and admins create keys and see everybody’s. <WhomToAsk />
        </>
      }
    >
      <KeyList pages={pages}>
        Here would be keys that act in your name; you could revoke them here at any time. <WhomToAsk />
      </KeyList>
    </Page>
  )
}
