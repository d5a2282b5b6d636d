import { Route, Routes } from 'react-router'
import { Component as NotFoundPage } from '../not-found/NotFoundPage.tsx'
import { AgentList } from './AgentList.tsx'
import { AgentPage } from './AgentPage.tsx'

export function Component() {
  return (
    <Routes>
      <Route index element={<AgentList />} />
      <Route path=":agentId" element={<AgentPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  )
}
