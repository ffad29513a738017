// How fields and groups of them are put on the page.
import type {
    ArrayFieldTemplateProps,
    DescriptionFieldProps,
    FieldErrorProps,
    FieldProps,
    FieldTemplateProps,
    ObjectFieldTemplateProps,
    RJSFSchema,
} from "@rjsf/utils";
import type { ReactNode } from "react";
import { Button } from "../parts/basics";
import { FormGuard } from "./jsonform";
import { JsonField } from "./jsonfield";
import { sectionsOf, type ConfigData, type SpecSchema } from "./uischema";

// The tags that descriptions of public connectors are written with. Others are text: "at <host>:<port>".
const TAG = /<\/?(a|b|blockquote|br|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|small|span|strong|sub|sup|u|ul)(\s[^>]*)?\/?>/gi;

/** Descriptions of public connectors hold links and line breaks; as text they are safe and say the same. The parser sees no
 * tag, only what stands for characters: what it would make of tags may ask for pictures, or hold scripts. */
export function plainText(description: string): string {
    const text = description.replace(TAG, "").replaceAll("<", "&lt;");
    return new DOMParser().parseFromString(text, "text/html").body.textContent ?? "";
}

/** A list of which each item is picked once: one field that several are picked in. */
function isOneList({ uniqueItems, items }: FieldTemplateProps["schema"]): boolean {
    return uniqueItems === true && typeof items === "object" && !Array.isArray(items) && Boolean(items.enum ?? items.oneOf);
}

export function FieldTemplate(props: FieldTemplateProps) {
    const { id, label, required, hidden, children, errors, rawDescription, schema, displayLabel } = props;
    if (hidden) return <div hidden>{children}</div>;
    const group = schema.type === "object" || (schema.type === "array" && !isOneList(schema)) || "choice" in schema;
    const itself = group || schema.type === "boolean";
    return (
        <div className={`field${props.rawErrors?.length ? " wrong" : ""}`}>
            {displayLabel && !itself && !props.uiSchema?.["ui:isItem"] && (
                <label htmlFor={id}>
                    {label}
                    {required && <span aria-hidden="true"> *</span>}
                </label>
            )}
            {/* One that cannot be drawn takes no other away. */}
            <FormGuard fallback={() => <JsonField {...({ ...props, name: label, idSchema: { $id: id }, onBlur: () => undefined } as unknown as FieldProps<ConfigData, RJSFSchema>)} />}>{children}</FormGuard>
            {rawDescription && !group && (
                <p className="help" id={`${id}__description`}>
                    {plainText(rawDescription)}
                </p>
            )}
            {errors}
        </div>
    );
}

export function ErrorTemplate({ errors, idSchema }: FieldErrorProps) {
    if (!errors?.length) return null;
    return (
        <p className="problem" id={`${idSchema.$id}__error`} role="status">
            {[...new Set(errors.map(String))].join(" ")}
        </p>
    );
}

export function ObjectTemplate(props: ObjectFieldTemplateProps) {
    const sections = sectionsOf(
        props.schema as SpecSchema,
        props.properties.map((property) => property.name),
    );
    const fields = sections.map((section) => {
        const own = props.properties
            .filter((property) => section.names.includes(property.name))
            .map((property) => (
                <div key={property.name} hidden={property.hidden}>
                    {property.content}
                </div>
            ));
        if (!section.title) return own;
        return (
            <fieldset className="group" key={section.id}>
                <legend>{section.title}</legend>
                <div className="fields">{own}</div>
            </fieldset>
        );
    });
    // The whole form, and a branch of a choice, whose title the choice has already.
    if (!props.title) return <div className="fields">{fields}</div>;
    return (
        <fieldset className="group">
            <legend>{props.title}</legend>
            {props.description && <p className="help">{plainText(String(props.description))}</p>}
            <div className="fields">{fields}</div>
        </fieldset>
    );
}

/** Which item it is: the label of a single value, the legend of several. */
function ItemFrame({ array, index, children }: { array: ArrayFieldTemplateProps; index: number; children: ReactNode }) {
    const items = array.schema.items;
    const single = typeof items === "object" && !Array.isArray(items) && items.type !== "object" && items.type !== "array" && !("choice" in items);
    if (single)
        return (
            <div className="field">
                <label htmlFor={`${array.idSchema.$id}_${index}`}>Number {index + 1}</label>
                {children}
            </div>
        );
    const name: unknown = (array.formData as { name?: unknown }[] | undefined)?.[index]?.name;
    return (
        <fieldset className="group">
            <legend>
                Number {index + 1}
                {typeof name === "string" && name && `: ${name}`}
            </legend>
            {typeof items === "object" && !Array.isArray(items) && items.description && <p className="help">{plainText(items.description)}</p>}
            {children}
        </fieldset>
    );
}

export function ArrayTemplate(props: ArrayFieldTemplateProps) {
    return (
        <fieldset className="group">
            <legend>
                {props.title}
                {props.required && <span aria-hidden="true"> *</span>}
            </legend>
            {props.schema.description && <p className="help">{plainText(props.schema.description)}</p>}
            {props.items.map((item) => (
                <div className="array-item" key={item.key}>
                    <ItemFrame array={props} index={item.index}>
                        {item.children}
                    </ItemFrame>
                    {item.hasRemove && (
                        <Button kind="ghost" aria-label={`Remove number ${item.index + 1}`} onClick={item.onDropIndexClick(item.index)}>
                            Remove
                        </Button>
                    )}
                </div>
            ))}
            {props.canAdd && <Button onClick={props.onAddClick}>Add</Button>}
        </fieldset>
    );
}

export function DescriptionTemplate({ id, description }: DescriptionFieldProps) {
    return description ? (
        <p className="help" id={id}>
            {plainText(String(description))}
        </p>
    ) : null;
}
