import { mount } from 'svelte'
import './styles/tokens.css'
import './styles/fonts.css'
import './styles/base.css'
import Login from './pages/login/Login.svelte'

mount(Login, { target: document.getElementById('app')! })
