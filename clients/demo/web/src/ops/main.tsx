import '../styles/ops.css';

import { mount } from '../mount';
import { Ops } from './Ops';

mount(<Ops />);
