// How fields and groups of them are put on the page.
import type {
    ArrayFieldTemplateProps,
    DescriptionFieldProps,
    FieldErrorProps,
    FieldTemplateProps,
    ObjectFieldTemplateProps,
} from "@rjsf/utils";
import { Button } from "../parts/basics";
import { sectionsOf, type SpecSchema } from "./uischema";

/** Descriptions of public connectors hold links and line breaks; as text they are safe and say the same. */
export function plainText(description: string): string {
    return new DOMParser().parseFromString(description, "text/html").body.textContent ?? "";
}

export function FieldTemplate(props: FieldTemplateProps) {
    const { id, label, required, hidden, children, errors, rawDescription, schema, displayLabel } = props;
    if (hidden) return <div hidden>{children}</div>;
    const group = schema.type === "object" || schema.type === "array" || "choice" in schema;
    const itself = group || schema.type === "boolean";
    return (
        <div className={`field${props.rawErrors?.length ? " wrong" : ""}`}>
            {displayLabel && !itself && (
                <label htmlFor={id}>
                    {label}
                    {required && <span aria-hidden="true"> *</span>}
                </label>
            )}
            {children}
            {rawDescription && !group && (
                <p className="help" id={`${id}__description`}>
                    {plainText(rawDescription)}
                </p>
            )}
            {!group && errors}
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
                    <div>{item.children}</div>
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
