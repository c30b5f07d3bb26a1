import { useUnreadCount } from '@walletwire/react';
import { type ReactNode, useEffect, useState } from 'react';

import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { Icon, type IconName } from '../ui/Icon';
import { PageHead } from '../ui/PageHead';
import { ActivityList } from './ActivityList';
import { AlertBanner } from './AlertBanner';
import { Announcements } from './Announcements';
import { BalanceCard } from './BalanceCard';
import { ChatPanel } from './chat/ChatPanel';
import { useChat } from './chat/ChatProvider';
import { Connection, OfflineNotice } from './Connection';
import { useDirectory } from './directory';
import { Notifications } from './Notifications';
import { SendMoney } from './SendMoney';
import { Toasts } from './Toasts';
import { Transfers } from './Transfers';
import { useTransfers } from './useTransfers';

/** On a phone one of them is shown; where there is room, home is beside the other two. */
type View = 'home' | 'notifications' | 'chat';

export function Wallet({ onSignOut }: { onSignOut: () => void }): ReactNode {
  const [view, setView] = useState<View>('home');
  const { me } = useDirectory();
  const transfers = useTransfers();
  const unread = useUnreadCount();
  useEffect(() => {
    document.title = strings.wallet.titleFor(me.name, unread);
  }, [me.name, unread]);

  return (
    <div className="wallet" data-view={view}>
      <a className="skip-link" href="#content">
        {strings.skip}
      </a>
      <PageHead tag={strings.wallet.tag}>
        <Connection />
        <span className="who">
          <Avatar name={me.name} colour={me.colour} size="tiny" />
          <span className="who-name">{me.name}</span>
        </span>
        <button
          type="button"
          className="icon-button"
          aria-label={strings.signOut}
          title={strings.signOut}
          onClick={onSignOut}
        >
          <Icon name="out" />
        </button>
      </PageHead>
      <OfflineNotice />
      <AlertBanner />
      <Announcements />
      <main id="content" className="columns" tabIndex={-1}>
        <div className="home">
          <h1 className="unseen">{strings.wallet.greeting(me.name)}</h1>
          <div className="home-top">
            <BalanceCard />
            <SendMoney onTransfer={transfers.track} />
          </div>
          <Transfers ids={transfers.ids} onGone={transfers.forget} />
          <ActivityList />
        </div>
        <Side view={view} onView={setView} />
      </main>
      <BottomNav view={view} onView={setView} />
      <Toasts />
    </div>
  );
}

interface ViewProps {
  view: View;
  onView: (view: View) => void;
}

function Side({ view, onView }: ViewProps): ReactNode {
  const shown = view === 'chat' ? 'chat' : 'notifications';
  return (
    <aside className="card side" aria-label={strings.wallet.side}>
      <nav className="side-nav" aria-label={strings.wallet.sideNav}>
        <NavButton view="notifications" current={shown} onView={onView} />
        <NavButton view="chat" current={shown} onView={onView} />
      </nav>
      {shown === 'chat' ? <ChatPanel /> : <Notifications />}
    </aside>
  );
}

function BottomNav({ view, onView }: ViewProps): ReactNode {
  return (
    <nav className="bottom-nav" aria-label={strings.wallet.nav}>
      {(['home', 'notifications', 'chat'] as const).map((one) => (
        <NavButton key={one} view={one} current={view} onView={onView} />
      ))}
    </nav>
  );
}

const ICONS: Readonly<Record<View, IconName>> = { home: 'home', notifications: 'bell', chat: 'chat' };

function NavButton({ view, current, onView }: { view: View; current: View; onView: (view: View) => void }): ReactNode {
  const counts = { home: 0, notifications: useUnreadCount(), chat: useChat().unread };
  const count = counts[view];
  return (
    <button
      type="button"
      className="nav-button"
      aria-current={view === current ? 'true' : undefined}
      onClick={() => onView(view)}
    >
      <Icon name={ICONS[view]} />
      <span>{strings.wallet.views[view]}</span>
      {count > 0 && (
        <span className="badge" data-testid={`badge-${view}`}>
          {count > 99 ? '99+' : count}
          <span className="unseen"> {strings.unread}</span>
        </span>
      )}
    </button>
  );
}
