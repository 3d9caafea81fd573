import { Argument, type Command } from 'commander'

const examples = `
Examples:
  source <(hookmq completion bash)                                       for this shell
  hookmq completion bash > ~/.local/share/bash-completion/completions/hookmq
  hookmq completion zsh > "\${fpath[1]}/_hookmq"                           for zsh, then start a new one

Completes commands and options, and what comes after 'hookmq ctl', 'emqctl' and 'emqx_ctl': commands of the running broker and of its
plugins, names of plugins, clients, listeners and topics.`

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print what makes a shell complete words')
    .helpOption('--help', 'show this help')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
    .addHelpText('after', examples)
    .action((shell: 'bash' | 'zsh') => {
      process.stdout.write(shell === 'bash' ? bashScript(program) : zshScript(program))
    })
}

/** Names of the commands, and of the options of each of them. */
function tableOf(program: Command): { names: string[]; options: [name: string, options: string[]][] } {
  const commands = program.commands.filter((command) => command.name() !== 'help')
  return {
    names: [...commands.map((command) => command.name()), 'help'],
    options: commands.map((command) => [
      command.name(),
      [...command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? ''), '--help'],
    ]),
  }
}

function optionCases(program: Command): string {
  return tableOf(program)
    .options.map(([name, options]) => `    ${name}) echo '${options.join(' ')}' ;;`)
    .join('\n')
}

/**
 * Readline divides words also at ':' and '=', so they are put together again first, and what is left of the last of these signs is taken
 * off the answers. Names are strangers' texts: they are quoted, and nothing is ever evaluated.
 */
function bashScript(program: Command): string {
  return `# bash completion of hookmq, emqctl and emqx_ctl: source <(hookmq completion bash)
_hookmq_options() {
  case $1 in
${optionCases(program)}
  esac
}

_hookmq_words() {
  local rest=$COMP_LINE index word trimmed
  words=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    trimmed=\${rest#"\${rest%%[![:space:]]*}"}
    if ((index > 0)) && [[ $trimmed == "$rest" && -n $word ]]; then
      words[\${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    rest=\${trimmed#"$word"}
  done
}

_hookmq_plain() {
  local word=$1
  case $word in
    \\'*) word=\${word#\\'} word=\${word%\\'} ;;
    \\"*) word=\${word#\\"} word=\${word%\\"} ;;
  esac
  printf '%s' "\${word//\\\\/}"
}

_hookmq_offer() {
  local current=$1 left candidate shown
  shift
  left=
  if [[ $current == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then left=\${current%"\${current##*[:=]}"}; fi
  COMPREPLY=()
  for candidate in "$@"; do
    [[ $candidate == "$current"* ]] || continue
    shown=\${candidate#"$left"}
    if [[ \${words[\${#words[@]}-1]} != [\\'\\"]* ]]; then printf -v shown '%q' "$shown"; fi
    COMPREPLY+=("$shown")
  done
}

_hookmq() {
  local -a words asked given
  local program=\${COMP_WORDS[0]} current index word
  _hookmq_words
  current=$(_hookmq_plain "\${words[\${#words[@]}-1]}")
  asked=("$program")
  index=1
  case \${program##*/} in
    hookmq)
      if ((\${#words[@]} == 2)); then
        _hookmq_offer "$current" ${tableOf(program).names.join(' ')}
        return
      fi
      if [[ \${words[1]} != ctl ]]; then
        if [[ \${words[1]} == completion ]]; then
          _hookmq_offer "$current" bash zsh
        elif [[ $current == -* ]]; then
          _hookmq_offer "$current" $(_hookmq_options "\${words[1]}")
        else
          compopt -o default 2>/dev/null
          COMPREPLY=()
        fi
        return
      fi
      asked+=(ctl)
      index=2
      ;;
  esac
  while ((index < \${#words[@]} - 1)) && [[ \${words[index]} == -* ]]; do
    word=\${words[index]}
    asked+=("$word")
    case $word in
      -d | --data-dir | -c | --config | -s | --set)
        index=$((index + 1))
        if ((index == \${#words[@]} - 1)); then
          compopt -o default 2>/dev/null
          COMPREPLY=()
          return
        fi
        asked+=("$(_hookmq_plain "\${words[index]}")")
        ;;
    esac
    index=$((index + 1))
  done
  if ((index == \${#words[@]} - 1)) && [[ $current == -* ]]; then
    _hookmq_offer "$current" $(_hookmq_options ctl)
    return
  fi
  given=()
  for ((; index < \${#words[@]}; index++)); do given+=("$(_hookmq_plain "\${words[index]}")"); done
  mapfile -t asked < <("\${asked[@]}" --complete -- "\${given[@]}" 2>/dev/null)
  _hookmq_offer "$current" "\${asked[@]}"
  # A file, perhaps.
  if ((\${#COMPREPLY[@]} == 0)); then compopt -o default 2>/dev/null; fi
  return 0
}

complete -F _hookmq hookmq emqctl emqx_ctl
`
}

function zshScript(program: Command): string {
  return `#compdef hookmq emqctl emqx_ctl
# zsh completion of hookmq, emqctl and emqx_ctl: hookmq completion zsh > "\${fpath[1]}/_hookmq"
_hookmq_options() {
  case $1 in
${optionCases(program)}
  esac
}

_hookmq() {
  local -a asked given offered
  local index=2 word
  asked=(\${(Q)words[1]})
  if [[ \${\${(Q)words[1]}:t} == hookmq ]]; then
    if ((CURRENT == 2)); then
      compadd -- ${tableOf(program).names.join(' ')}
      return
    fi
    if [[ $words[2] != ctl ]]; then
      if [[ $words[2] == completion ]]; then
        compadd -- bash zsh
      elif [[ $words[CURRENT] == -* ]]; then
        compadd -- $(_hookmq_options $words[2])
      else
        _files
      fi
      return
    fi
    asked+=(ctl)
    index=3
  fi
  while ((index < CURRENT)) && [[ $words[index] == -* ]]; do
    word=$words[index]
    asked+=($word)
    case $word in
      -d | --data-dir | -c | --config | -s | --set)
        ((index++))
        if ((index == CURRENT)); then
          _files
          return
        fi
        asked+=(\${(Q)words[index]})
        ;;
    esac
    ((index++))
  done
  if ((index == CURRENT)) && [[ $words[CURRENT] == -* ]]; then
    compadd -- $(_hookmq_options ctl)
    return
  fi
  given=("\${(@Q)words[index,CURRENT]}")
  offered=("\${(@f)$("\${asked[@]}" --complete -- "\${given[@]}" 2>/dev/null)}")
  offered=(\${offered:#})
  if (($#offered)); then
    compadd -- "\${offered[@]}"
  else
    _files
  fi
}

if [[ $funcstack[1] == _hookmq ]]; then
  _hookmq "$@"
else
  compdef _hookmq hookmq emqctl emqx_ctl
fi
`
}
