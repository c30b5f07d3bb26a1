import { type ChatMessage } from '@walletwire/client';
import { useRealtime } from '@walletwire/react';
import { type ReactNode, type SyntheticEvent, useState } from 'react';

import { messageOf } from '../../bank';
import { strings } from '../../strings';
import { formatClock } from '../../time';
import { Icon } from '../../ui/Icon';

export interface MessageProps {
  message: ChatMessage;
  own: boolean;
  note: string | undefined;
}

export function Message({ message, own, note }: MessageProps): ReactNode {
  const client = useRealtime();
  const [isEditing, setEditing] = useState(false);
  const [error, setError] = useState<string>();
  const { roomId, seq, text, deleted, editedAt, timestamp } = message;

  const attempt = (change: Promise<void>): void => {
    change.then(
      () => setError(undefined),
      (reason: unknown) => setError(messageOf(reason)),
    );
  };
  return (
    <li className={`message ${own ? 'own' : 'theirs'}`}>
      {isEditing ? (
        <EditForm
          text={text}
          onCancel={() => setEditing(false)}
          onSave={(changed) => {
            setEditing(false);
            if (changed !== text) attempt(client.chat.edit(roomId, seq, changed));
          }}
        />
      ) : (
        <div className="message-row">
          {own && !deleted && (
            <span className="message-actions">
              <button
                type="button"
                className="icon-button small-icon"
                aria-label={strings.chat.edit(text)}
                title={strings.chat.editTitle}
                onClick={() => setEditing(true)}
              >
                <Icon name="edit" />
              </button>
              <button
                type="button"
                className="icon-button small-icon"
                aria-label={strings.chat.delete(text)}
                title={strings.chat.deleteTitle}
                onClick={() => attempt(client.chat.delete(roomId, seq))}
              >
                <Icon name="bin" />
              </button>
            </span>
          )}
          <p className={`bubble ${deleted ? 'gone' : ''}`}>{deleted ? strings.chat.deleted : text}</p>
        </div>
      )}
      <p className="message-note">
        <time dateTime={timestamp}>{formatClock(timestamp)}</time>
        {editedAt !== undefined && !deleted && ` · ${strings.chat.edited}`}
        {note !== undefined && ` · ${note}`}
      </p>
      {error !== undefined && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

function EditForm(props: { text: string; onSave: (text: string) => void; onCancel: () => void }): ReactNode {
  const [text, setText] = useState(props.text);
  const save = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (text.trim() !== '') props.onSave(text.trim());
  };
  return (
    <form className="edit-form" onSubmit={save} onKeyDown={({ key }) => key === 'Escape' && props.onCancel()}>
      <input
        className="input"
        aria-label={strings.chat.editTitle}
        value={text}
        autoFocus
        onChange={({ target }) => setText(target.value)}
      />
      <button type="submit" className="button compact">
        {strings.save}
      </button>
      <button type="button" className="button quiet compact" onClick={props.onCancel}>
        {strings.cancel}
      </button>
    </form>
  );
}
