import { type KeyboardEvent, type ReactNode, type SyntheticEvent, useEffect, useRef, useState } from 'react';

import { strings } from '../../strings';
import { Icon } from '../../ui/Icon';
import { useChat } from './ChatProvider';

/** The longest text that the server takes. */
const MAX_LENGTH = 4000;
/** Typing is said again while it goes on; the server forgets it after six seconds. */
const TYPING_AGAIN_MS = 3000;

export interface ComposerProps {
  roomId: string;
  name: string;
  setTyping: (typing: boolean) => Promise<void>;
}

export function Composer({ roomId, name, setTyping }: ComposerProps): ReactNode {
  const { send } = useChat();
  const [text, setText] = useState('');
  const type = useTyping(setTyping);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const trimmed = text.trim();
    if (trimmed === '') return;
    send(roomId, trimmed);
    setText('');
    type(false);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        className="input"
        rows={1}
        maxLength={MAX_LENGTH}
        aria-label={strings.chat.write(name)}
        placeholder={strings.chat.placeholder}
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          type(target.value.trim() !== '');
        }}
        onKeyDown={onKeyDown}
        onBlur={() => type(false)}
      />
      <button type="submit" className="button send-button" aria-label={strings.chat.send} disabled={text.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  );
}

/** Says when typing begins, again while it goes on, and when it ends. */
function useTyping(setTyping: (typing: boolean) => Promise<void>): (typing: boolean) => void {
  const saidAt = useRef(0); // milliseconds since 1970; 0: nothing that would have to be taken back
  const say = (typing: boolean): void => {
    const now = Date.now();
    if (typing ? now - saidAt.current < TYPING_AGAIN_MS : saidAt.current === 0) return;
    saidAt.current = typing ? now : 0;
    setTyping(typing).catch(() => undefined); // a hint that may be lost
  };
  const newest = useRef(say);
  useEffect(() => {
    newest.current = say;
  });
  useEffect(() => () => newest.current(false), []);
  return say;
}
