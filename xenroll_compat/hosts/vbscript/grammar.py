"""VBScript's text as a syntax tree: the library's parser, with what it reads wrongly read here.

Mended: calls without parentheses (negative numbers, concatenations, arguments left out, ``f (a), b``), With, Call, Set and
assignments to any reference, ReDim of several arrays, the ends of statements, and the numbers of syntax errors. The
library's own notions (Response, Session and Request are special names) are not used. Knows no values.
"""

from __future__ import annotations

from typing import Any, Final

from ASPPY import ast_nodes as tree
from ASPPY.parser import ParseError, Parser
from ASPPY.vb_errors import VBScriptCompilationError

from xenroll_compat.hosts.vbscript.errors import SyntaxProblem
from xenroll_compat.hosts.vbscript.lexer import ScriptLexer

_FREE: Final = ("ERR", "PROPERTY", "DEFAULT", "EXPLICIT", "PRESERVE", "STEP")  # a script may have variables of these names
SUBJECT: Final = "%SUBJECT"  # the name that stands for what the innermost With is about
_ENDS: Final = ("NEWLINE", "COLON", "EOF", "ELSE", "ELSEIF", "END")
_DEFINITIONS: Final = ("SUB", "FUNCTION", "CLASS", "PROPERTY")  # which stand outside of procedures
_NO_STATEMENTS: Final = frozenset(
    ("NUMBER", "STRING", "DATE", "LPAREN", "RPAREN", "COMMA", "EQ", "NE", "LT", "LE", "GT", "GE", "AMP", "PLUS", "MINUS",
     "STAR", "SLASH", "BSLASH", "CARET")
)  # fmt: skip
_UNEXPECTED: Final = {"LOOP": 1038, "NEXT": 1055}
# What a token's absence is called.
_EXPECTED: Final[dict[str, int]] = {
    "LPAREN": 1005, "RPAREN": 1006, "IDENT": 1010, "EQ": 1011, "IF": 1012, "TO": 1013, "END": 1014, "FUNCTION": 1015,
    "SUB": 1016, "THEN": 1017, "WEND": 1018, "LOOP": 1019, "NEXT": 1020, "CASE": 1021, "SELECT": 1022, "WITH": 1029,
    "IN": 1046, "CLASS": 1047, "PROPERTY": 1050, "NEWLINE": 1025, "COLON": 1025, "EOF": 1025,
}  # fmt: skip
# The library's sentence, or how it begins -> the number.
_SENTENCES: Final[tuple[tuple[str, int], ...]] = (
    ("Expected THEN", 1017), ("Expected IF after END", 1012), ("Expected END IF", 1014), ("Expected CASE", 1021),
    ("Expected SELECT", 1022), ("Expected END", 1014), ("Expected LOOP", 1019), ("Expected WEND", 1018),
    ("Expected NEXT", 1020), ("Expected IN", 1046), ("Expected '=' in FOR", 1011), ("Expected TO", 1013),
    ("Expected GET, LET", 1049), ("Expected '('", 1005), ("Expected expression", 1023), ("Can't use the same", 1040),
    ("Expected operator", 1025), ("Expected", 1010),
)  # fmt: skip
_KEYS: Final[dict[str, int]] = {
    "EXPECTED_EOS": 1025, "EXPECTED_INTEGER": 1026, "INVALID_CHARACTER": 1032, "UNTERMINATED_STRING": 1033,
    "NAME_REDEFINED": 1041, "CANNOT_USE_PARENS": 1044, "EXPECTED_IDENTIFIER": 1010, "EXPECTED_ASSIGN": 1011,
    "EXPECTED_NEXT": 1020, "EXPECTED_LOOP": 1019, "EXPECTED_WEND": 1018, "EXPECTED_END": 1014,
}  # fmt: skip


class WithStatement(tree.Stmt):  # type: ignore[misc]
    """With subject ... End With."""

    def __init__(self, subject: Any, body: list[Any]) -> None:
        self.subject = subject
        self.body = body


def parse(text: str) -> list[Any]:
    """The statements of a text that ``lexer.prepared`` has gone through. Raises SyntaxProblem."""
    return list(_parsed(text, "parse_program"))


def parse_expression(text: str) -> Any:
    """One expression. Raises SyntaxProblem."""
    return _parsed(text, "parse_expression")


def _parsed(text: str, entry: str) -> Any:
    parser = ScriptParser(text)
    try:
        return getattr(parser, entry)()
    except ParseError as error:
        told = str(error)
        number = next((number for start, number in _SENTENCES if told.startswith(start)), 1002)
        raise SyntaxProblem(number, parser.tok.pos) from None
    except VBScriptCompilationError as error:
        position = getattr(error, "vbs_pos", None)
        raise SyntaxProblem(1002, parser.tok.pos if position is None else position) from None


class ScriptParser(Parser):  # type: ignore[misc]
    """The library's parser; raises SyntaxProblem, and ParseError where the library does."""

    def __init__(self, text: str) -> None:
        super().__init__("")
        self._bounds: dict[str, Any] = {}  # of the arrays that Dim declares outside procedures
        self.lexer = ScriptLexer(text)
        self.tok = self.lexer.next_token()

    def _raise_c(self, key: str, extra: str | None = None) -> None:
        raise self._problem(_KEYS.get(key, 1002))

    def _raise_redefined(self, node: Any) -> None:
        raise SyntaxProblem(1041, getattr(node, "_pos", None) or 0)

    def _require_not_reserved_ident(self, name: str, context: str) -> None:
        if name.upper() not in _FREE:
            super()._require_not_reserved_ident(name, context)

    def _problem(self, number: int) -> SyntaxProblem:
        return SyntaxProblem(number, self.tok.pos)

    def _eat(self, kind: str) -> None:
        if self.tok.kind != kind:
            raise self._problem(_EXPECTED.get(kind, 1002))
        super()._eat(kind)

    def _parse_stmt(self, with_target: Any = None) -> Any:
        self._skip_seps()
        start = self.tok.pos
        self._refuse_statement()
        read = _STATEMENTS.get(self.tok.kind)
        if self.tok.kind == "IDENT" and self._begins_on_error():
            read = None
        statement = read(self) if read is not None else super()._parse_stmt(None)
        if self.tok.kind not in _ENDS:
            raise self._problem(1025)
        statement._pos = start
        return statement

    def _refuse_statement(self) -> None:
        if self.tok.kind in _NO_STATEMENTS:
            raise self._problem(1024)
        defined = self._peek().kind if self.tok.kind in ("PUBLIC", "PRIVATE") else self.tok.kind
        if self._proc_depth and defined in _DEFINITIONS:
            raise self._problem(1002)
        if defined == "PROPERTY":
            raise self._problem(1048)

    def _begins_on_error(self) -> bool:
        following = self._peek()
        return [str(token.value).upper() for token in (self.tok, following)] == ["ON", "ERROR"]

    def _parse_generic_stmt(self) -> Any:
        start = self._mark()
        target, steps = self._reference()
        if self.tok.kind == "EQ":
            self._eat("EQ")
            return tree.Assign(target, self._parse_expr())
        if self.tok.kind in _ENDS:
            return tree.ExprStmt(self._whole_call(target))
        if isinstance(target, tree.CallExpr):
            self._reset(start)  # f (a) & b, c: the parentheses belong to the first argument
            target, _ = self._reference(steps - 1)
        return tree.ExprStmt(tree.CallExpr(target, self._bare_arguments()))

    def _whole_call(self, target: Any) -> Any:
        if not isinstance(target, tree.CallExpr):
            return tree.CallExpr(target, [])
        if len(target.args) > 1:
            raise self._problem(1044)
        if not target.args:
            return target
        return tree.CallExpr(target.callee, [tree.ParenExpr(target.args[0])])  # f (a) passes a value

    def _bare_arguments(self) -> list[Any]:
        arguments = [None if self.tok.kind == "COMMA" else self._parse_expr()]
        while self.tok.kind == "COMMA":
            self._eat("COMMA")
            arguments.append(None if self.tok.kind in ("COMMA", *_ENDS) else self._parse_expr())
        return arguments

    def _reference(self, steps: int | None = None) -> tuple[Any, int]:
        if self.tok.kind in ("IDENT", "DEFAULT"):
            base = tree.Ident(self.tok.value.upper())
            self._eat(self.tok.kind)
        elif self.tok.kind == "ME":
            self._eat("ME")
            base = tree.Ident("ME")
        elif self.tok.kind == "DOT" and self._with_target_stack:
            base = tree.Ident(SUBJECT)
        else:
            raise self._problem(1010)
        return self._steps(base, steps)

    def _parse_postfix(self, expr: Any, lvalue: bool = False) -> Any:
        return self._steps(expr, None)[0]

    def _steps(self, expr: Any, limit: int | None) -> tuple[Any, int]:
        count = 0
        while limit is None or count < limit:
            if self.tok.kind == "DOT" and not self._begins_subject(expr):
                self._eat("DOT")
                expr = tree.Member(expr, self._member_name())
            elif self.tok.kind == "LPAREN":
                expr = tree.CallExpr(expr, self._arguments())
            else:
                break
            count += 1
        return expr, count

    def _begins_subject(self, expr: Any) -> bool:
        """Whether a point belongs to a With: there is a blank before it. The first one after the subject itself does not."""
        if not self._with_target_stack or (isinstance(expr, tree.Ident) and expr.name == SUBJECT):
            return False
        return bool(self.tok.pos) and str(self.lexer.text[self.tok.pos - 1]) in " \t"

    def _member_name(self) -> str:
        name = str(self.tok.value)
        if self.tok.kind != "IDENT" and not name[:1].isalpha():
            raise self._problem(1010)
        self._eat(self.tok.kind)
        return name.strip("[]")

    def _arguments(self) -> list[Any]:
        self._eat("LPAREN")
        if self.tok.kind == "RPAREN":
            self._eat("RPAREN")
            return []
        arguments = [None if self.tok.kind == "COMMA" else self._parse_expr()]
        while self.tok.kind == "COMMA":
            self._eat("COMMA")
            arguments.append(None if self.tok.kind in ("COMMA", "RPAREN") else self._parse_expr())
        self._eat("RPAREN")
        return arguments

    def _parse_param_list(self) -> list[Any]:
        if self.tok.kind != "LPAREN":
            return []
        self._eat("LPAREN")
        parameters: list[Any] = []
        while self.tok.kind != "RPAREN":
            if parameters:
                self._eat("COMMA")
            parameters.append(self._parameter())
        self._eat("RPAREN")
        return parameters

    def _parameter(self) -> Any:
        passed = self.tok.kind if self.tok.kind in ("BYVAL", "BYREF") else ""
        if passed:
            self._eat(passed)
        if not self._at_ident():
            raise self._problem(1010)
        name = self._eat_ident_name()
        if self.tok.kind == "LPAREN":  # which says that it is an array, and binds nobody
            self._eat("LPAREN")
            self._eat("RPAREN")
        return tree.ParamDecl(name, byval=passed == "BYVAL")

    def _parse_unary(self) -> Any:
        if self.tok.kind == "PLUS":
            self._eat("PLUS")
            return self._parse_unary()
        if self.tok.kind == "MINUS" and self._peek().kind == "PLUS":
            self._eat("MINUS")
            return tree.UnaryOp("-", self._parse_unary())
        return super()._parse_unary()

    def _call(self) -> Any:
        self._eat("CALL")
        target = self._parse_term() if self.tok.kind == "LPAREN" else self._reference()[0]  # Call (New C).Method
        return tree.ExprStmt(target if isinstance(target, tree.CallExpr) else tree.CallExpr(target, []))

    def _set(self) -> Any:
        self._eat("SET")
        target, _ = self._reference()
        self._eat("EQ")
        return tree.SetAssign(target, self._parse_expr())

    def _with(self) -> Any:
        self._eat("WITH")
        subject = self._parse_expr()
        self._with_target_stack.append(SUBJECT)
        body = self._parse_block_until({"END"})
        self._with_target_stack.pop()
        self._eat("END")
        self._eat("WITH")
        return WithStatement(subject, body)

    def _redim(self) -> Any:
        first = super()._parse_redim()
        statements = [first]
        while self.tok.kind == "COMMA":
            self._eat("COMMA")
            name = self._eat_ident_name() if self._at_ident() else ""
            if not name or self.tok.kind != "LPAREN":
                raise self._problem(1010 if not name else 1005)
            statements.append(tree.ReDimStmt(name, self._arguments(), preserve=first.preserve))
        return tree.Block(statements)

    def _parse_dim(self) -> Any:
        statement = super()._parse_dim()
        if not self._proc_depth:
            self._bounds.update({decl.name: decl.bounds for decl in statement.decls})
        return statement

    def _parse_class_def(self) -> Any:
        outer, self._bounds = self._bounds, {}
        statement = super()._parse_class_def()
        for member in statement.members:
            if isinstance(member, tree.ClassVarDecl) and member.bounds is None:
                member.bounds = self._bounds.get(member.name)  # which the library forgets after Dim
        self._bounds = outer
        return statement

    def _unexpected(self) -> Any:
        raise self._problem(_UNEXPECTED.get(self.tok.kind, 1002))

    def _unexpected_end(self) -> Any:
        if self._peek().kind != "IF":
            raise self._problem(1002)
        return super()._parse_stmt(None)  # what closes an If that stands on one line


_STATEMENTS: Final[dict[str, Any]] = {
    "CALL": ScriptParser._call,
    "SET": ScriptParser._set,
    "WITH": ScriptParser._with,
    "REDIM": ScriptParser._redim,
    "END": ScriptParser._unexpected_end,
    **dict.fromkeys(("IDENT", "DEFAULT", "ME", "DOT"), ScriptParser._parse_generic_stmt),
    **dict.fromkeys(("NEXT", "LOOP", "WEND", "ELSE", "ELSEIF", "CASE", "THEN", "TO"), ScriptParser._unexpected),
}
