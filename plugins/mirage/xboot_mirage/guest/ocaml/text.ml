(* Numbers and names as text. *)

let rec hex width n = (if width > 1 || n lsr 4 <> 0 then hex (width - 1) (n lsr 4) else "") ^ String.make 1 "0123456789abcdef".[n land 15]

let left width s = s ^ String.make (max 0 (width - String.length s)) ' '

(* An exception with arguments is a block that begins with its constructor, and a constructor one that begins with its name. *)
let of_exception = function
  | Invalid_argument why -> "Invalid_argument: " ^ why
  | Failure why -> "Failure: " ^ why
  | e ->
    let block = Obj.repr e in
    let constructor = if Obj.tag block = 0 then Obj.field block 0 else block in
    (Obj.obj (Obj.field constructor 0) : string)
