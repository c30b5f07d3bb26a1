import '../styles/desk.css';

import { mount } from '../mount';
import { Desk } from './Desk';

mount(<Desk />);
