import '../styles/wallet.css';
import '../styles/chat.css';

import { mount } from '../mount';
import { App } from './App';

mount(<App />);
