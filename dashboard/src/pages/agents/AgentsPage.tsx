import { Route, Routes } from 'react-router'
import { NotFound } from '../../ui/states/NotFound.tsx'
import { AgentList } from './AgentList.tsx'
import { AgentPage } from './agent/AgentPage.tsx'

export function Component() {
  return (
    <Routes>
      <Route index element={<AgentList />} />
      <Route path=":agentId" element={<AgentPage />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  )
}
