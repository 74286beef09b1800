import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

export const scopes = { read: 'notes:read', write: 'notes:write' };

/** What each tool needs. One that is not listed is anybody's who may read. */
const DEMANDS = { 'add-note': [scopes.read, scopes.write] };

/** Notes by user. */
const notes = new Map();

/**
 * All that the calls in a body need, told in one challenge (MCP authorization, "Scope Challenge Handling").
 * @param {unknown} body JSON-RPC: a message, or several
 */
export function demandsOf(body) {
  const calls = [body].flat().filter((message) => message?.method === 'tools/call');
  const needed = calls.flatMap((call) => (Object.hasOwn(DEMANDS, call.params?.name) ? DEMANDS[call.params.name] : []));
  return { scopes: [...new Set([scopes.read, ...needed])] };
}

/**
 * The MCP server of one request.
 * @param {{ extra?: { subject?: string } } | undefined} auth whose request it is
 */
export function notebook(auth) {
  const owner = auth?.extra?.subject;
  if (owner === undefined) {
    throw new Error('The request did not come through protect().');
  }
  const server = new McpServer({ name: 'notebook', version: '1.0.0' });
  server.registerTool('list-notes', { description: 'The notes of the user' }, () =>
    text((notes.get(owner) ?? []).join('\n') || 'no notes'),
  );
  server.registerTool('add-note', { description: 'Adds a note', inputSchema: fromJsonSchema(NOTE) }, ({ note }) => {
    notes.set(owner, [...(notes.get(owner) ?? []), note].slice(-100));
    return text(`noted: ${note}`);
  });
  return server;
}

function text(value) {
  return { content: [{ type: 'text', text: value }] };
}

const NOTE = {
  type: 'object',
  properties: { note: { type: 'string', maxLength: 1000 } },
  required: ['note'],
  additionalProperties: false,
};
